import { expect, test } from "vitest";
import { reached, renderGoals } from "./goals.mjs";

const run = (seconds, peakMb, flops) => ({
  runs: [{ seconds: [seconds], peakMb, flops, commit: "a", date: "2026-01-01" }],
});

/** @param {Record<string, { runs: object[] }>} rows */
const storeOf = (rows) => ({ row: (id) => rows[id] ?? { runs: [] } });

test("a goal compares the precision it names, or each side's fastest, of eager and compiled alike", () => {
  const store = storeOf({
    "inference-base-4x10/wav2vec2/float32": run(4, 1000),
    "inference-base-4x10/wav2vec2/bfloat16": run(2, 900),
    "inference-base-4x10/onnxruntime/float32": run(5, 2000),
    "finetune-frozen/wav2vec2/float32": run(10, 700),
    "finetune-frozen/transformers/float32": run(20, 1000),
    "finetune-frozen/transformers-compiled/bfloat16": run(16, 1400),
    "busy/wav2vec2/float32": run(3, 500),
    "inference-base-1x10/wav2vec2/float32": run(1.5, 500),
    "help/wav2vec2/float32": run(0.2, 50),
  });
  const found = reached(store).filter(({ value }) => value !== undefined);
  expect(found.find(({ goal }) => goal.what === "fine-tuning step, fastest")?.eager).toBe(0.5);
  expect(found.filter(({ eager }) => eager !== undefined)).toHaveLength(1);
  expect(found.map(({ goal, value, precisions }) => [goal.what, goal.over, value, precisions])).toEqual([
    ["inference, float32", "onnxruntime", 0.8, ["float32", "float32"]],
    ["inference, fastest", "onnxruntime", 0.4, ["bfloat16", "float32"]],
    ["fine-tuning step, fastest", "transformers", 0.625, ["float32", "bfloat16"]],
    ["memory of fine-tuning", "transformers", 0.7, ["float32", "float32"]],
    ["beside a busy process", "inference-base-1x10", 2, ["float32", "float32"]],
    ["`--help`, seconds", "none", 0.2, ["float32"]],
  ]);
  const page = renderGoals(store);
  expect(page).toContain("| inference, fastest | onnxruntime | bfloat16 and float32 | 0.5 | **0.40** |  |");
  expect(page).toContain("| inference, float32 | onnxruntime | float32 | 0.55 | 0.80 |  |");
});

test("the floor is the job's matrix products at the peak of the precision", () => {
  const store = storeOf({
    "products/wav2vec2/float32": run(1, 100, 200e9),
    "inference-base-4x10/wav2vec2/float32": run(3.6, 100),
  });
  const [floor] = reached(store).filter(({ value }) => value !== undefined);
  expect(floor.goal.over).toBe("floor");
  expect(floor.value).toBeCloseTo(3.6 / (593e9 / 200e9), 1);
});

test("where nothing was measured, no table is written", () => {
  expect(renderGoals(storeOf({}))).toBe("");
});
