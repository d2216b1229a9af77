import { describe, expect, it } from "vitest";
import {
  type BatchPosition,
  batchOrder,
  epochOfBatches,
  type PlannedBatch,
  shareOfBatches,
} from "../../data/batches/batches.js";
import { Random } from "../../data/random.js";
import { resolveRecipe } from "../recipe/recipe.js";
import { batchPlanOf, planSteps } from "./batch-plan.js";
import { learningRateScale } from "./schedule.js";

// Training on as many processes as a cluster has, without the processes: the plan of a corpus as large as LibriSpeech, what
// each rank takes of it, and where the steps stand in the schedule.

const CLIPS = 281_241;
const START = { epoch: 0, batch: 0 };

const recipeOf = (accumulation: number) =>
  resolveRecipe({
    task: "pretrain",
    max_epochs: 2,
    data: { root: "corpus", batch_seconds: 100 },
    gradient_accumulation: accumulation,
    schedule: { name: "linear", warmup_ratio: 0.08 },
  });
const PLAN = batchPlanOf(recipeOf(1));

/** Most clips of LibriSpeech's training splits have 12 to 16 s, the others spread over 1.4 to 16.4 s. */
function likeLibriSpeech() {
  const random = new Random(1, "corpus");
  return Array.from({ length: CLIPS }, () => {
    const common = random.uniform() < 0.65;
    const seconds = common ? 12 + 4 * Math.sqrt(random.uniform()) : 1.4 + 15 * random.uniform() ** 0.8;
    return { samples: Math.round(16000 * seconds) };
  });
}

const corpus = likeLibriSpeech();
// Each process plans for itself; to plan once for all of them saves minutes, and the first test compares it.
const epochs = [0, 1, 2].map((epoch) => epochOfBatches(corpus, { ...PLAN, epoch }));
const plan = epochs.flat();
const inTwoEpochs = epochs[0]!.length + epochs[1]!.length;
const placeIn = ({ epoch, batch }: BatchPosition) =>
  epochs.slice(0, epoch).reduce((sum, { length }) => sum + length, batch);

interface Steps {
  /** What all ranks compute, in the order of micro-batches and ranks. */
  computed: PlannedBatch[];
  /** Where a checkpoint behind the last step says that the run goes on. */
  position: BatchPosition;
}

/** Some steps of every rank: rank r takes what the loop of process r would. */
function run(size: number, steps: number, from: BatchPosition, accumulation = 1): Steps {
  const count = steps * accumulation;
  const rest = plan.slice(placeIn(from));
  const shares = Array.from({ length: size }, (_, rank) => {
    const share = shareOfBatches(rest, { rank, size });
    return Array.from({ length: count }, () => share.next().value as PlannedBatch);
  });
  const position = shares[0]![count - 1]!.next;
  for (let micro = 0; micro < count; micro++) {
    const places = new Set(shares.map((share) => placeIn(share[micro]!.next)));
    expect(places.size).toBe(1); // whichever rank writes the checkpoint
  }
  const computed = Array.from({ length: count }, (_, micro) => shares.map((share) => share[micro]!)).flat();
  return { computed, position };
}

/** How often each clip of an epoch was heard, by how many clips. */
function heard(batches: readonly PlannedBatch[], epoch: number): Record<number, number> {
  const times = new Uint8Array(CLIPS);
  for (const { epoch: own, indices } of batches)
    if (own === epoch) for (const clip of indices) times[clip]!++;
  const clips: Record<number, number> = {};
  for (const count of times) clips[count] = (clips[count] ?? 0) + 1;
  return clips;
}

const batchKey = ({ epoch, batch }: PlannedBatch) => `${epoch}.${batch}`;

describe("training on many processes", () => {
  it("gives ranks that plan for themselves, from any place on, what one plan for all gives them", () => {
    const from = { epoch: 0, batch: epochs[0]!.length - 700 }; // the second epoch begins in the second step
    const first = placeIn(from);
    for (const rank of [0, 47, 511]) {
      const share = shareOfBatches(batchOrder(corpus, PLAN, from), { rank, size: 512 });
      for (let step = 0; step < 4; step++) {
        const own = plan[first + 512 * step + rank]!;
        expect(share.next().value).toEqual({ ...own, next: plan[first + 512 * step + 511]!.next });
      }
    }
  });

  it.each([64, 512])("hears every clip once an epoch, across its end, on %i ranks", (size) => {
    const steps = Math.ceil(inTwoEpochs / size);
    const { computed, position } = run(size, steps, START);
    expect(computed).toHaveLength(steps * size); // every rank equally many
    expect(heard(computed, 0)).toEqual({ 1: CLIPS });
    expect(heard(computed, 1)).toEqual({ 1: CLIPS });
    // The last step is full: it begins the third epoch.
    expect(placeIn(position)).toBe(steps * size);
    expect(computed.map(batchKey)).toEqual(plan.slice(0, steps * size).map(batchKey));
  });

  it.each([1, 2, 3])("goes on from 64 ranks to 512 and to 48, stopped at any step: %i", (seed) => {
    const random = new Random(seed, "stops");
    const first = run(64, 1 + random.integer(500), START);
    const second = run(512, 1 + random.integer(60), first.position);
    const left = Math.ceil((inTwoEpochs - placeIn(second.position)) / 48);
    const third = run(48, left, second.position);
    const computed = [first, second, third].flatMap((part) => part.computed);
    expect(heard(computed, 0)).toEqual({ 1: CLIPS });
    expect(heard(computed, 1)).toEqual({ 1: CLIPS });
    expect(computed.map(batchKey)).toEqual(plan.slice(0, computed.length).map(batchKey));
  });

  it("makes the same updates of the same steps on 8, 64 and 512 ranks with as large an update", () => {
    const steps = 5;
    const all = [
      [8, 64],
      [64, 8],
      [512, 1],
    ].map(([size, accumulation]) => ({
      recipe: planSteps(recipeOf(accumulation!), corpus, size!),
      updates: run(size!, steps, { epoch: 0, batch: epochs[0]!.length - 700 }, accumulation!),
    }));
    for (const { recipe, updates } of all) {
      expect(recipe.max_steps).toBe(Math.ceil(inTwoEpochs / 512));
      expect(updates.computed.map(batchKey)).toEqual(all[0]!.updates.computed.map(batchKey));
      expect(updates.position).toEqual(all[0]!.updates.position);
    }
  });

  it.each([64, 512])("takes as many steps as the epochs have, and their schedule, on %i ranks", (size) => {
    const { max_steps: steps, schedule } = planSteps(recipeOf(1), corpus, size);
    expect(steps).toBe(Math.ceil(inTwoEpochs / size));
    const scales = Array.from({ length: steps }, (_, step) => learningRateScale(step, schedule, steps));
    const warmup = Math.ceil(0.08 * steps);
    expect(scales.indexOf(Math.max(...scales))).toBe(warmup);
    expect(scales[warmup]).toBe(1);
    // Where the second epoch begins, the rate is the same however many ranks share the epochs.
    const half = Math.round(epochs[0]!.length / size);
    expect(scales[half]).toBeCloseTo(0.5 / 0.92, 1);
    expect(scales.at(-1)).toBeCloseTo(0, 1);
  });
});
