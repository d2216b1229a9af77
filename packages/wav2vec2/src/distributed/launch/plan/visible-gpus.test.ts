import { describe, expect, it } from "vitest";
import { visibleGpus } from "./visible-gpus.js";

describe("visibleGpus", () => {
  it.each<[string | undefined, number]>([
    [undefined, 4],
    ["", 0],
    ["0", 1],
    ["1, 3", 2],
    ["-1", 0],
    ["0,-1,1", 1],
    ["0,7,1", 1], // as CUDA: what stands behind one that is not there is not seen
    ["GPU-8932f937,GPU-1d2c", 2],
    ["MIG-GPU-8932f937/1/0", 1],
    ["NoDevFiles", 0],
  ])("counts CUDA_VISIBLE_DEVICES=%s of four as %d", (list, count) => {
    expect(visibleGpus({ CUDA_VISIBLE_DEVICES: list }, () => 4)).toBe(count);
  });

  it("sees none where there is none", () => {
    expect(visibleGpus({ CUDA_VISIBLE_DEVICES: "0,1" }, () => 0)).toBe(0);
  });
});
