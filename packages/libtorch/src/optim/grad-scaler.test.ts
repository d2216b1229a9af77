import { describe, expect, it } from "vitest";
import { parameter } from "../nn/parameter.js";
import { memoryStatistics } from "../runtime.js";
import { scope } from "../tensors/handles.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import { GradScaler, type GradScalerOptions, LossScaleError } from "./index.js";

const [NAN, INFINITE] = [Number.NaN, Number.POSITIVE_INFINITY];

/** Updates as PyTorch 2.15 made them with the same loss: p * [0.3, -7] summed, one gradient set to `broken`. */
function follow(options: GradScalerOptions, broken: [number, number], finite: number[]) {
  const scaler = new GradScaler(options);
  const weight = parameter(tensor([1, 2]));
  return finite.map((good) => {
    weight.grad = undefined;
    scaler.scale(weight.mul(tensor([0.3, -7])).sum()).backward();
    const scaled = weight.grad!.toFloat32Array();
    if (!good) scaled[broken[0]] = broken[1];
    weight.grad = tensor(scaled);
    const found = scaler.unscale([weight]).item() === 1;
    expect(found).toBe(good === 1);
    scaler.update(found);
    return { ...scaler.state(), gradient: weight.grad.toArray() };
  });
}

describe("GradScaler", () => {
  it("halves at once and doubles after the interval, as PyTorch", () => {
    const updates = follow({ growthInterval: 3 }, [1, INFINITE], [1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1]);
    expect(updates.map(({ scale }) => scale)).toEqual([
      65536, 65536, 131072, 65536, 65536, 65536, 32768, 32768, 32768, 65536, 65536, 65536, 131072, 131072,
    ]);
    expect(updates.map(({ growthTracker }) => growthTracker)).toEqual([
      1, 2, 0, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1,
    ]);
    expect(updates[0]!.gradient).toEqual([Math.fround(0.3), -7]); // powers of two change no digit
    expect(updates[3]!.gradient).toEqual([Math.fround(0.3), INFINITE]);
  });

  it("rounds other factors as PyTorch", () => {
    const options = { scale: 1000, growthFactor: 1.7, backoffFactor: 0.3, growthInterval: 2 };
    const updates = follow(options, [0, NAN], [1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1]);
    expect(updates.map(({ scale }) => scale)).toEqual([
      1000, 1700, 510, 510, 867, 867, 1473.9000244140625, 442.1700134277344, 132.6510009765625,
      132.6510009765625, 225.50669860839844,
    ]);
    expect(updates[0]!.gradient).toEqual([0.30000001192092896, -7.000000476837158]);
    expect(updates[2]!.gradient).toEqual([NAN, -6.999999523162842]);
  });

  it("does not grow beyond float32", () => {
    const scaler = new GradScaler({ scale: 2 ** 127, growthInterval: 1 });
    scaler.update(true);
    expect(scaler.state()).toEqual({ scale: 2 ** 127, growthTracker: 0 });
  });

  it("gives up where the scale falls below its minimum, and keeps the last one", () => {
    const scaler = new GradScaler();
    for (let i = 0; i < 29; i++) scaler.update(false);
    expect(scaler.state().scale).toBe(2 ** -13); // 1.2e-4
    expect(() => scaler.update(false)).toThrow(LossScaleError);
    expect(() => scaler.update(false)).toThrow(/overflow at 0.0001220703125: minimum loss scale reached\. /);
    expect(scaler.state().scale).toBe(2 ** -13);
  });

  it("tells a large gradient from an infinite one, and one that overflows when it is divided", () => {
    const weight = parameter(tensor([1, 2]));
    weight.grad = tensor([3e38, -3e38]);
    const finite = (scaler: GradScaler, ...weights: Tensor[]) => scaler.unscale(weights).item();
    expect(finite(new GradScaler(), weight, parameter(tensor([1])))).toBe(1);
    weight.grad = tensor([3e38, 0]);
    expect(finite(new GradScaler({ scale: 0.5 }), weight)).toBe(0);
    weight.grad = undefined;
    expect(finite(new GradScaler(), weight)).toBe(1);
  });

  it("goes on from its state, and refuses what is none", () => {
    const first = new GradScaler({ growthInterval: 3 });
    for (const finite of [true, false, true, true]) first.update(finite);
    const second = new GradScaler({ growthInterval: 3 });
    second.loadState(JSON.parse(JSON.stringify(first.state())));
    second.update(true);
    expect(second.state()).toEqual({ scale: 65536, growthTracker: 0 });
    for (const state of [
      { scale: 0, growthTracker: 0 },
      { scale: NAN, growthTracker: 0 },
      { scale: 1, growthTracker: 0.5 },
    ]) {
      expect(() => second.loadState(state)).toThrow(/must be a scale above 0 and a count/);
    }
  });

  it("leaves no tensors behind", () => {
    const weight = parameter(tensor([1, 2]));
    const scaler = new GradScaler();
    const { liveTensors } = memoryStatistics();
    for (let i = 0; i < 3; i++) {
      scope(() => {
        scaler.scale(weight.square().sum()).backward();
        scaler.update(scaler.unscale([weight]).item() === 1);
      });
    }
    expect(memoryStatistics().liveTensors).toBe(liveTensors);
  });
});
