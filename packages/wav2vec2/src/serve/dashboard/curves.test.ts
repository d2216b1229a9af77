import { describe, expect, it } from "vitest";
import { curveOf, MovingAverages } from "./curves.js";
import { MetricTable } from "./metric-table.js";

function tableOf(rows: readonly object[]): MetricTable {
  const table = new MetricTable();
  for (const row of rows) table.line(Buffer.from(JSON.stringify(row)));
  return table;
}

/** Noise that is the same every time. */
function noise(index: number): number {
  const value = Math.sin(index * 12.9898) * 43758.5453;
  return value - Math.floor(value);
}

const long = tableOf(
  Array.from({ length: 20_000 }, (_, i) => ({
    step: i + 1,
    loss: i === 7_777 ? 99 : i === 12_345 ? -99 : noise(i),
  })),
);

describe("a curve", () => {
  it("is all its points where they are few", () => {
    const table = tableOf([
      { step: 1, loss: 3 },
      { step: 2, "eval/wer": 0.5 },
      { step: 2, loss: null },
      { step: 3, loss: 1 },
    ]);
    expect(curveOf(table, "loss", { x: "step", columns: 100 })).toEqual({
      x: [1, 2, 3],
      y: [3, null, 1],
      count: 3,
    });
    expect(curveOf(table, "eval/wer", { x: "step", columns: 100 })).toEqual({ x: [2], y: [0.5], count: 1 });
    expect(curveOf(table, "grad_norm", { x: "step", columns: 100 })).toBeUndefined();
  });

  it("keeps of each column of pixels the first, lowest, highest and last point, as they were", () => {
    const { x, y, count } = curveOf(long, "loss", { x: "step", columns: 100 })!;
    expect(count).toBe(20_000);
    expect(x.length).toBeLessThanOrEqual(404);
    expect([x[0], x.at(-1)]).toEqual([1, 20_000]);
    expect(x).toEqual([...x].sort((a, b) => a - b));
    expect(new Set(x).size).toBe(x.length);
    expect(y[x.indexOf(7_778)]).toBe(99);
    expect(y[x.indexOf(12_346)]).toBe(-99);
    // Every column's extremes, not only the greatest.
    const inColumn = (first: number): number[] =>
      x.flatMap((at, i) => (Math.floor((at - 1) / 199.99) === first ? y[i]! : []));
    for (const column of [3, 50, 98]) {
      const all = Array.from({ length: 20_000 }, (_, i) => i).filter(
        (i) => Math.floor(i / 199.99) === column,
      );
      const values = all.map(noise);
      expect(Math.max(...inColumn(column))).toBeCloseTo(Math.max(...values), 5);
      expect(Math.min(...inColumn(column))).toBeCloseTo(Math.min(...values), 5);
    }
  });

  it("of a part shows it finer, with the points that lines lead to beside it", () => {
    const part = curveOf(long, "loss", { x: "step", from: 7_700, to: 7_799, columns: 100 })!;
    expect(part.x).toEqual(Array.from({ length: 102 }, (_, i) => 7_699 + i));
    expect(part.y[part.x.indexOf(7_778)]).toBe(99);
  });

  it("says where values are not finite, however many points stand for how many", () => {
    const table = tableOf(
      Array.from({ length: 10_000 }, (_, i) => ({ step: i, loss: i === 5_000 ? null : 1 })),
    );
    const { x, y } = curveOf(table, "loss", { x: "step", columns: 50 })!;
    expect(x[y.indexOf(null)]).toBe(5_000);
  });

  it("is smoothed as TensorBoard does, from all points, corrected for its start", () => {
    const table = tableOf([2, 4, null, 8].map((loss, i) => ({ step: i, loss })));
    const { smooth } = curveOf(table, "loss", { x: "step", columns: 100, smoothing: 0.5 })!;
    // ((2·½)·½ + 4·½) / (1 - ½²) and so on; nothing where there is no value
    expect(smooth).toEqual([2, 3.33333, null, 6]);
    const whole = curveOf(long, "loss", { x: "step", columns: 20_000, smoothing: 0.9 })!;
    const thinned = curveOf(long, "loss", { x: "step", columns: 20, smoothing: 0.9 })!;
    for (const [i, at] of thinned.x.entries()) expect(thinned.smooth![i]).toBe(whole.smooth![at - 1]);
  });

  it("is smoothed on where it grows, and anew where its run went back", () => {
    const averages = new MovingAverages();
    const table = tableOf([
      { step: 1, loss: 2 },
      { step: 2, loss: 4 },
    ]);
    const smooth = (): unknown =>
      curveOf(table, "loss", { x: "step", columns: 100, smoothing: 0.5 }, averages)!.smooth;
    expect(smooth()).toEqual([2, 3.33333]);
    table.line(Buffer.from('{"step":3,"loss":8}'));
    expect(smooth()).toEqual([2, 3.33333, 6]);
    table.line(Buffer.from('{"step":2,"loss":2}'));
    expect(smooth()).toEqual([2, 2]);
  });
});

describe("the x axis", () => {
  const hour = 3600;
  const table = tableOf([
    { step: 10, time: 1000, loss: 3, audio_seconds: hour / 10 },
    { step: 20, time: 1060, loss: 2, audio_seconds: hour / 10 },
    { step: 20, time: 1061, "eval/wer": 0.5 },
    { step: 30, time: 1061 + 5 * hour, loss: 1, audio_seconds: hour / 5 },
  ]);

  it("counts hours of audio heard", () => {
    expect(curveOf(table, "loss", { x: "audio", columns: 100 })!.x).toEqual([1, 2, 4]);
    expect(curveOf(table, "eval/wer", { x: "audio", columns: 100 })!.x).toEqual([2]);
  });

  it("counts seconds of training, without the pause of an interrupted run", () => {
    expect(curveOf(table, "loss", { x: "time", columns: 100 })!.x).toEqual([0, 60, 61]);
  });
});

describe("MetricTable", () => {
  it("takes what is done anew behind a step in the place of what was done before", () => {
    const table = tableOf([
      { step: 10, loss: 5, audio_seconds: 360 },
      { step: 20, loss: 1, audio_seconds: 360 },
      { step: 20, "eval/wer": 0.1 },
      { step: 30, loss: 0.5, audio_seconds: 360 },
      { step: 20, loss: 4, audio_seconds: 360 },
    ]);
    expect(curveOf(table, "loss", { x: "step", columns: 9 })).toMatchObject({ x: [10, 20], y: [5, 4] });
    expect(table.audioHours).toBe(2);
    expect(table.describe()).toEqual({
      loss: { count: 2, gaps: 0, latest: 4, lowest: { value: 4, step: 20 }, highest: { value: 5, step: 10 } },
      audio_seconds: expect.anything(),
    });
  });

  it("tells what stands out in a metric", () => {
    const table = tableOf([3, null, 1, 2].map((loss, i) => ({ step: i, loss })));
    table.describe();
    table.line(Buffer.from('{"step":9,"loss":0.5,"word":"x"}'));
    expect(table.describe()).toEqual({
      loss: {
        count: 5,
        gaps: 1,
        latest: 0.5,
        lowest: { value: 0.5, step: 9 },
        highest: { value: 3, step: 0 },
      },
    });
  });
});
