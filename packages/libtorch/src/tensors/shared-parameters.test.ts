import { describe, expect, it } from "vitest";
import * as nn from "../nn/index.js";
import { memoryStatistics } from "../runtime.js";
import { keep, scope } from "./handles.js";
import { copyParameters, shareParameters, useParameters } from "./shared-parameters.js";
import { type Tensor, tensor } from "./tensor.js";

const input = keep(tensor([1, 2, 3, 4], [1, 4]));
const outputOf = (layer: nn.Linear) => scope(() => layer.forward(input).toArray());

describe("shared parameters", () => {
  it("are the module's own memory, and that of every module that uses them", () => {
    const layer = new nn.Linear(4, 3);
    const before = outputOf(layer);
    const shared = shareParameters(layer);
    expect(shared.map(({ name, shape, dtype }) => ({ name, shape, dtype }))).toEqual([
      { name: "weight", shape: [3, 4], dtype: "float32" },
      { name: "bias", shape: [3], dtype: "float32" },
    ]);
    expect(outputOf(layer)).toEqual(before);
    const other = nn.init.deferred(() => new nn.Linear(4, 3));
    useParameters(other, shared);
    expect(outputOf(other)).toEqual(before);
    new Float32Array(shared[1]!.bytes.buffer)[0]! += 10;
    for (const each of [layer, other]) expect(outputOf(each)[0]).toBeCloseTo(before[0]! + 10, 4);
  });

  it("keep a parameter's gradient flag and free what it took before", () => {
    const before = memoryStatistics().liveBytes;
    const layer = scope(() => new nn.Linear(2000, 2000));
    expect(memoryStatistics().liveBytes - before).toBeGreaterThan(15e6);
    shareParameters(layer);
    expect(memoryStatistics().liveBytes - before).toBeLessThan(1e6);
    expect(layer.parameters().every(({ requiresGrad }) => requiresGrad)).toBe(true);
  });

  it("leave nothing of what was in their place, and do not count it as needed", () => {
    const shared = shareParameters(scope(() => new nn.Linear(2000, 2000)));
    useParameters(
      scope(() => nn.init.deferred(() => new nn.Linear(2000, 2000))),
      shared,
    );
    const { liveBytes, peakBytes, cachedBytes } = memoryStatistics();
    expect(peakBytes).toBe(liveBytes);
    expect(cachedBytes).toBe(0);
  });

  it("are copied of a module that goes on changing", async () => {
    const layer = new nn.Linear(4, 3);
    const before = outputOf(layer);
    const other = nn.init.deferred(() => new nn.Linear(4, 3));
    useParameters(other, await copyParameters(layer));
    scope(() => layer.parameters()[1]!.detach().fill_(100));
    expect(outputOf(layer)).not.toEqual(before);
    expect(outputOf(other)).toEqual(before);
  });

  it("are shared with the buffers, which a module computes with too", () => {
    class Shifted extends nn.Module {
      linear = new nn.Linear(4, 3);
      shift = nn.buffer(tensor([1, 2, 3]));
      count = nn.buffer(tensor(Int32Array.of(7), [], { dtype: "int64" }));
      forward = (x: Tensor) => this.linear.forward(x).add(this.shift);
    }
    const first = new Shifted();
    scope(() => first.shift.fill_(9));
    const before = scope(() => first.forward(input).toArray());
    const other = nn.init.deferred(() => new Shifted());
    useParameters(other, shareParameters(first));
    expect(scope(() => other.forward(input).toArray())).toEqual(before);
    expect(other.count.item()).toBe(7);
    expect(other.buffers()).toHaveLength(2);
  });

  it("must fit the module", () => {
    const shared = shareParameters(new nn.Linear(4, 3));
    expect(() => useParameters(new nn.Linear(4, 2), shared)).toThrow(
      "The shared parameters must hold weight of shape [2,4], but hold [3,4].",
    );
    expect(() => useParameters(new nn.Linear(4, 3), [])).toThrow("but hold none.");
  });
});
