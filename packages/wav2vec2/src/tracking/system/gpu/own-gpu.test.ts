import { describe, expect, it } from "vitest";
import { ownGpu } from "./own-gpu.js";

const LISTING = `GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-9c73eb7b-8d6d-6c0e-dc13-97873e2ede40)
  MIG 1g.10gb     Device  0: (UUID: MIG-a686709d-6dc2-542a-8851-0d2508448c10)
  MIG 1g.10gb     Device  1: (UUID: MIG-53864714-0a66-5df2-9007-9268e30d9a72)
GPU 1: NVIDIA A100-SXM4-80GB (UUID: GPU-c92e2d5d-4a69-f1cd-4df0-305f8606705a)
  MIG 1g.10gb     Device  0: (UUID: MIG-d5a46a2e-1d77-575d-99e3-1f96c8555a2e)
`;
const SECOND = "GPU-c92e2d5d-4a69-f1cd-4df0-305f8606705a";

describe("the GPU of a process", () => {
  it.each([
    ["is CUDA's where nothing is said", 1, undefined, "1"],
    ["is counted among those that are visible", 1, "6,2,3", "2"],
    ["has a name of its own", 0, SECOND, SECOND],
    ["has the beginning of a name", 0, "GPU-c92e", SECOND],
    ["is the whole of its part", 1, "MIG-53864714-0a66-5df2-9007-9268e30d9a72,MIG-d5a46a2e", SECOND],
    ["is in the older name of its part", 0, `MIG-${SECOND}/7/0`, SECOND],
    ["is none where none is visible", 0, "", undefined],
    ["is none behind the first that is none", 1, "0,-1,2", undefined],
    ["is none where there are fewer", 2, "0,1", undefined],
    ["is none of an unknown name", 0, "GPU-ffffffff", undefined],
  ])("%s", async (_, ordinal, visible, own) => {
    expect(await ownGpu(ordinal, visible, async () => LISTING)).toBe(own);
  });

  it("needs nothing to be listed where numbers say it", async () => {
    const listing = () => Promise.reject(new Error("listed"));
    expect(await ownGpu(0, "3", listing)).toBe("3");
    expect(await ownGpu(0, undefined, listing)).toBe("0");
  });
});
