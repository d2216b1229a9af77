import { expect, test } from "vitest";
import { fakePrograms } from "./fixtures.mjs";
import { driverProblem, nvidiaDriver, oldestDriver } from "./nvidia-driver.mjs";

test("a driver counts where nvidia-smi names a card", async () => {
  fakePrograms({
    "nvidia-smi": "echo '580.65.06, NVIDIA A100-SXM4-80GB'; echo '580.65.06, NVIDIA A100-SXM4-80GB'",
  });
  expect(await nvidiaDriver()).toEqual({
    version: "580.65.06",
    cards: ["NVIDIA A100-SXM4-80GB", "NVIDIA A100-SXM4-80GB"],
  });
});

test("a program that fails, or finds no card, is no driver", async () => {
  fakePrograms({
    "nvidia-smi": "echo 'NVIDIA-SMI has failed because it could not communicate with the driver.'; exit 9",
  });
  expect(await nvidiaDriver()).toBeUndefined();
  fakePrograms({ "nvidia-smi": "echo 'No devices were found'" });
  expect(await nvidiaDriver()).toBeUndefined();
  fakePrograms({});
  expect(await nvidiaDriver()).toBeUndefined();
});

test("each CUDA has its oldest driver, and one of later is not judged", () => {
  expect(["11.8", "12.6", "13.2", "14.0", "unknown"].map(oldestDriver)).toEqual([
    450,
    525,
    580,
    undefined,
    undefined,
  ]);
  const driver = (/** @type {string} */ version) => ({ version, cards: ["NVIDIA L4"] });
  expect(driverProblem("13.2", driver("580.65.06"))).toBeUndefined();
  expect(driverProblem("13.2", driver("1000.1"))).toBeUndefined();
  expect(driverProblem("13.2", driver("575.57.08"))).toMatch(/driver 580 or newer, but 575\.57\.08/);
  expect(driverProblem("13.2", undefined)).toBeUndefined();
});
