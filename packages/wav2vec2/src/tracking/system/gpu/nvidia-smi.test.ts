import { describe, expect, it } from "vitest";
import { GPU_FIELDS, gpuReading } from "./nvidia-smi.js";

/** Of drivers before 535, which know one name of the reasons. */
const OLDER = GPU_FIELDS.filter((name) => name !== "clocks_event_reasons.active");

// As these cards print it: data centres' have no fan, MIG hides what is shared, drivers before 535 have the older name,
// unified memory is not counted, and a card that fell off the bus answers in words.
const H100 =
  "3, 97 %, 41 %, 81559 MiB, 62134 MiB, 71, 699.80 W, 700.00 W, 1590 MHz, 2619 MHz, [N/A], 0x0000000000000004, 0x0000000000000004";
const GTX_1080_TI =
  "0, 98 %, 5 %, 11178 MiB, 3201 MiB, 91, 211.44 W, 212.50 W, 1139 MHz, 5005 MHz, 100 %, 0x0000000000000068";
const MIG =
  "0, [N/A], [N/A], 81559 MiB, 9913 MiB, 34, 118.02 W, 700.00 W, 1980 MHz, 2619 MHz, [N/A], 0x0000000000000000, 0x0000000000000000";
const GB10 =
  "0, 3 %, 0 %, [N/A], [N/A], 40, 11.20 W, [N/A], 2418 MHz, [N/A], [N/A], 0x0000000000000001, 0x0000000000000001";
const LOST =
  "1, [Unknown Error], [GPU requires reset], [Not Supported], ERR!, [N/A], [Unknown Error], [Unknown Error], [Unknown Error], [Unknown Error], [N/A], [N/A], [N/A]";

describe("readings of nvidia-smi", () => {
  it("of an H100 at its power limit: Weights & Biases' names, sizes in bytes, shares of the limits", () => {
    expect(gpuReading(H100, GPU_FIELDS)).toEqual({
      "gpu.3.gpu": 97,
      "gpu.3.memory": 41,
      "gpu.3.memoryAllocated": 76.183,
      "gpu.3.memoryAllocatedBytes": 62134 * 2 ** 20,
      "gpu.3.temp": 71,
      "gpu.3.powerWatts": 699.8,
      "gpu.3.enforcedPowerLimitWatts": 700,
      "gpu.3.powerPercent": 99.971,
      "gpu.3.smClock": 1590,
      "gpu.3.memoryClock": 2619,
      "gpu.3.throttledByHeat": 0,
      "gpu.3.throttledByPowerBrake": 0,
      "gpu.3.throttledByPowerCap": 1,
    });
  });

  it("of a consumer's card that is too hot, by the older name of the reasons", () => {
    expect(gpuReading(GTX_1080_TI, OLDER)).toMatchObject({
      "gpu.0.fanSpeed": 100,
      "gpu.0.temp": 91,
      "gpu.0.throttledByHeat": 1,
      "gpu.0.throttledByPowerBrake": 0,
      "gpu.0.throttledByPowerCap": 0,
    });
  });

  it("of a GPU in parts has no utilisation, which is unknown and not 0", () => {
    const values = gpuReading(MIG, GPU_FIELDS)!;
    expect(Object.keys(values)).not.toContain("gpu.0.gpu");
    expect(values["gpu.0.memoryAllocatedBytes"]).toBe(9913 * 2 ** 20);
  });

  it("leaves out what a card does not tell, whatever word it has for that", () => {
    expect(Object.keys(gpuReading(GB10, GPU_FIELDS)!).sort()).toEqual(
      ["gpu", "memory", "powerWatts", "smClock", "temp"]
        .concat(["throttledByHeat", "throttledByPowerBrake", "throttledByPowerCap"])
        .map((name) => `gpu.0.${name}`)
        .sort(),
    );
    expect(gpuReading(LOST, GPU_FIELDS)).toEqual({});
  });

  it.each([
    ["a power brake", "0x0000000000000088", { heat: 0, brake: 1, cap: 0 }],
    ["heat that the hardware saw", "0x48", { heat: 1, brake: 0, cap: 0 }],
    ["nothing, in words", "Not Active", { heat: 0, brake: 0, cap: 0 }],
    ["idleness", "0x0000000000000001", { heat: 0, brake: 0, cap: 0 }],
  ])("knows %s", (_, bits, { heat, brake, cap }) => {
    const values = gpuReading(`0, ${bits}`, ["index", "clocks_event_reasons.active"]);
    expect(values).toEqual({
      "gpu.0.throttledByHeat": heat,
      "gpu.0.throttledByPowerBrake": brake,
      "gpu.0.throttledByPowerCap": cap,
    });
  });

  it("are of the lines of GPUs alone", () => {
    const fields = ["index", "temperature.gpu"];
    expect(gpuReading("0, 50", fields)).toEqual({ "gpu.0.temp": 50 });
    expect(gpuReading("index, temperature.gpu", fields)).toBeUndefined();
    expect(gpuReading("Unable to determine the device handle, GPU is lost.", fields)).toBeUndefined();
    expect(gpuReading("0", fields)).toBeUndefined(); // cut off
    expect(gpuReading("0, 50, 60", fields)).toBeUndefined();
  });
});
