import { nn } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { Wav2Vec2ForPreTraining } from "../model/heads/pretraining/pretraining.js";
import { PRESETS } from "../model/presets.js";
import { ownersOf } from "./owners.js";

describe("owners", () => {
  it("are chosen as by ZeroRedundancyOptimizer: the largest first, to who has the least", () => {
    expect(ownersOf([3, 9, 4, 4, 1, 2], 2)).toEqual([1, 0, 1, 1, 0, 0]);
    expect(ownersOf([5, 5, 5], 3)).toEqual([0, 1, 2]);
    expect(ownersOf([7, 7], 4)).toEqual([0, 1]);
    expect(ownersOf([2, 1], 1)).toEqual([0, 0]);
    expect(ownersOf([], 3)).toEqual([]);
  });

  // No share is smaller than the positional embedding's kernel, 4.7 of BASE's 95 M.
  it.each([
    [2, 1.001],
    [4, 1.002],
    [8, 1.01],
    [16, 1.02],
  ])("have about as much of BASE each, in %i processes", (processes, most) => {
    const model = nn.init.deferred(() => new Wav2Vec2ForPreTraining(PRESETS.base));
    const sizes = model.parameters().map(({ numel }) => numel);
    const loads = new Array<number>(processes).fill(0);
    for (const [place, owner] of ownersOf(sizes, processes).entries()) loads[owner]! += sizes[place]!;
    const total = sizes.reduce((sum, size) => sum + size);
    expect((Math.max(...loads) / total) * processes).toBeLessThan(most);
  });
});
