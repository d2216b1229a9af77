import { expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { filterOf } from "./polyphase-filter.js";
import { applyFilter } from "./polyphase-kernel.js";

// Up to two input samples an output sample, the kernel slides; else it takes four output samples of a phase at once.
it.each([
  [2, 1],
  [8000, 16000],
  [5, 16],
  [3, 2],
  [22050, 16000],
  [44100, 32000],
  [1234, 1600],
])("applyFilter sums to some roundings of float32 what float64 does, %i to %i", (from, to) => {
  const random = new Random(6, "polyphase");
  const lower = Math.min(1, to / from);
  const filter = filterOf(from, to, 0.4 * lower, 0.5 * lower, 100);
  const { up, down, half } = filter;
  const rows = Array.from({ length: up }, (_, i) => filter.row(i));
  const phase = random.integer(up);
  for (const count of [0, 1, 3, 47, 5000]) {
    const length = 2 * half + Math.ceil((count * down) / up);
    const signal = Float32Array.from({ length }, () => 2 * random.uniform() - 1);
    const output = new Float32Array(count);
    applyFilter(filter, phase, signal, output);
    for (let i = 0; i < count; i++) {
      const position = phase + i * down;
      const row = rows[position % up]!;
      const begin = Math.floor(position / up);
      let sum = 0;
      for (let k = 0; k < 2 * half; k++) sum += row[k]! * signal[begin + k]!;
      if (!(Math.abs(output[i]! - sum) < 1e-6)) expect(output[i], `sample ${i} of ${count}`).toBe(sum);
    }
  }
});

it("applyFilter gives a sample the same bits alone and among others", () => {
  const random = new Random(7, "polyphase");
  for (const [from, to] of [
    [2, 1],
    [8000, 16000],
    [44100, 32000],
  ] as const) {
    const filter = filterOf(from, to, 0.2, 0.25, 100);
    const { up, down, half } = filter;
    const signal = Float32Array.from({ length: 2 * half + 4000 }, () => 2 * random.uniform() - 1);
    const all = new Float32Array(Math.floor((3999 * up) / down));
    applyFilter(filter, 0, signal, all);
    const alone = new Float32Array(1);
    for (let i = 0; i < all.length; i++) {
      const begin = Math.floor((i * down) / up);
      applyFilter(filter, (i * down) % up, signal.subarray(begin, begin + 2 * half), alone);
      if (alone[0] !== all[i]) expect(alone[0], `sample ${i}`).toBe(all[i]);
    }
  }
});
