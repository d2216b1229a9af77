import { describe, expect, it } from "vitest";
import { History, NO_PAST, type Row } from "./history.js";

function made(past = NO_PAST): { history: History; rows: Row[] } {
  const rows: Row[] = [];
  return { history: new History(past, 1000, (row) => rows.push(row)), rows };
}

describe("History", () => {
  it("makes one row of all that belongs to a step, once the next one begins", () => {
    const { history, rows } = made();
    history.add({ loss: 1 }, 10, 2000);
    history.add({ "eval/wer": 0.5 }, 10, 3000);
    expect(rows).toEqual([]);
    history.add({ loss: 2 }, 20, 4000);
    expect(rows).toEqual([
      { "train/global_step": 10, loss: 1, "eval/wer": 0.5, _step: 10, _runtime: 2, _timestamp: 3 },
    ]);
    history.flush();
    history.flush();
    expect(rows).toHaveLength(2);
  });

  it("counts on where a run goes on from an older checkpoint, until training has caught up", () => {
    const { history, rows } = made({ step: 20, runtime: 100, summary: { old: 1 } });
    for (const step of [15, 20, 21, 30]) history.add({ loss: step }, step, 1000);
    history.flush();
    expect(rows.map((row) => [row["train/global_step"], row._step])).toEqual([
      [15, 21],
      [20, 22],
      [21, 23],
      [30, 30],
    ]);
    expect(rows[0]!._runtime).toBe(100);
    expect(history.summary).toMatchObject({ old: 1, loss: 30, _step: 30 });
  });

  it("begins at the cut of a history", () => {
    const { history, rows } = made({ step: 20, runtime: 0, summary: {} });
    history.rewound(15);
    history.add({}, 16, 1000);
    history.flush();
    expect(rows[0]!._step).toBe(16);
  });

  it("keeps the values of the best validation, not of others", () => {
    const { history } = made();
    history.add({ loss: 3, "eval/wer": 0.5 }, 1, 0);
    history.best(1);
    history.add({ "eval/wer": 0.7 }, 2, 0);
    expect(history.summary).toMatchObject({ "eval/wer": 0.7, "best/eval/wer": 0.5, "best/step": 1 });
    expect(history.summary).not.toHaveProperty("best/loss");
  });
});
