import { describe, expect, it } from "vitest";
import { resolveDevice } from "./device.js";

const none = { cudaBuild: false, cudaDevices: 0, mps: false };
const noDriver = { ...none, cudaBuild: true };
const two = { ...noDriver, cudaDevices: 2 };

describe("a device", () => {
  it.each([
    [undefined, none, "cpu"],
    ["auto", none, "cpu"],
    ["auto", noDriver, "cpu"],
    ["auto", two, "cuda:0"],
    ["auto", { ...none, mps: true }, "cpu"],
    ["mps", { ...none, mps: true }, "mps"],
    ["cpu", two, "cpu"],
    ["cuda", two, "cuda:0"],
    ["cuda:1", two, "cuda:1"],
  ])("%s is found", (wanted, available, device) => {
    expect(resolveDevice(wanted, { available })).toBe(device);
  });

  it("without a number is that of the process", () => {
    expect(resolveDevice("auto", { available: two, index: 1 })).toBe("cuda:1");
    expect(resolveDevice("cuda", { available: two, index: 1 })).toBe("cuda:1");
    expect(resolveDevice("cuda:0", { available: two, index: 1 })).toBe("cuda:0");
  });

  it.each([
    ["gpu", two, /must be auto, cpu, cuda, cuda:N or mps, but is gpu/],
    ["cuda", none, /must be cpu .* built without CUDA\. Run 'npm run setup -- --libtorch cuda'/],
    ["cuda:1", noDriver, /finds no NVIDIA GPU\. Install NVIDIA's driver/],
    ["cuda:2", two, /must be cuda:0 to cuda:1 on this machine, but is cuda:2/],
    ["mps", none, /must be cpu on this machine, but is mps/],
  ])("%s that is not there is refused, saying what to do", (wanted, available, message) => {
    expect(() => resolveDevice(wanted, { available })).toThrow(message);
  });
});
