import { setImmediate as turn } from "node:timers/promises";
import { noGrad, scope } from "@wav2vec2/libtorch";
import { SAMPLE_RATE } from "../../audio/audio-file.js";
import {
  type BatchLimits,
  epochOfBatches,
  type PlannedBatch,
  shareOfBatches,
} from "../../data/batches/batches.js";
import { type BatchLoadOptions, isEmpty } from "../../data/batches/load-batches.js";
import type { PreTrainingPreparation } from "../../data/batches/preparation.js";
import type { PreTrainingBatch } from "../../data/batches/pretraining-collator.js";
import type { Utterance } from "../../data/utterance.js";
import { gatherParts } from "../../distributed/interrupted.js";
import { ALONE, type World } from "../../distributed/world.js";
import { UserError } from "../../errors.js";
import type { Wav2Vec2Config } from "../../model/configuration.js";
import type { Wav2Vec2ForPreTraining } from "../../model/heads/pretraining/pretraining.js";
import { type CodedClip, drawableWaveform, maskedSpans } from "../../tracking/coded-clip.js";
import { forwardPreTraining, preTrainingBatches, type ScoredBatch } from "./pretraining-batches.js";
import { preTrainingMetrics, preTrainingSums } from "./pretraining-metrics.js";

export interface PreTrainingEvaluation {
  /** As `preTrainingMetrics` names them; perplexities are those of the entries chosen for all masked frames. */
  metrics: Record<string, number>;
  /** How often each entry of each codebook was chosen for a frame, masked or not, [groups][entries]. */
  codebooks: number[][];
  clips: CodedClip[];
}

export interface EvaluatePreTrainingOptions extends BatchLimits, BatchLoadOptions {
  /** How audio becomes input. Its seed decides masks and distractors: the same at every validation. */
  preparation: PreTrainingPreparation;
  signal?: AbortSignal | undefined;
  /** The processes that share the clips; all get the metrics of all clips. Default: this one alone */
  world?: World | undefined;
  /** Which clips to look into, by id. */
  shown: ReadonlySet<string>;
}

/**
 * How well a model finds the masked frames of clips again, always with the same masks and distractors. The best entries
 * are chosen, without noise.
 *
 * @throws UserError where no clip can be read
 * @throws the signal's reason where it is aborted
 * @throws Interrupted where another process is asked to stop
 */
export async function evaluatePreTraining(
  model: Wav2Vec2ForPreTraining,
  utterances: readonly Utterance[],
  { world = ALONE, ...options }: EvaluatePreTrainingOptions,
): Promise<PreTrainingEvaluation> {
  const { batchSeconds, batchSize, shown } = options;
  const plan = epochOfBatches(utterances, { batchSeconds, batchSize, seed: 0, epoch: 0 });
  const parts = await gatherParts(world, options.signal, () => hear(model, utterances, plan, world, options));
  const usage = new CodebookUsage(model.config);
  for (const { counts } of parts) usage.add(counts);
  // Sums are those of one process, to the bit.
  const heard = parts.flatMap(({ batches }) => batches).sort((a, b) => a.batch - b.batch);
  const sums: Record<string, number> = {};
  for (const batch of heard) {
    for (const [name, value] of Object.entries(batch.sums)) sums[name] = (sums[name] ?? 0) + value;
  }
  if (sums.count === undefined)
    throw new UserError("The clips to validate on must be readable, but none is.");
  const clips = heard.flatMap((batch) => batch.clips);
  const order = [...shown];
  clips.sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
  return { metrics: usage.describe(sums), codebooks: usage.counts.all, clips };
}

/** What the model makes of a batch. */
interface HeardBatch {
  /** Its number in the plan. */
  batch: number;
  sums: Record<string, number>;
  clips: CodedClip[];
}

/** What a process tells the others. */
interface HeardPart {
  batches: HeardBatch[];
  /** Of all its batches: whole numbers add up in any order. */
  counts: CodebookCounts;
}

/** This process's share of the batches. */
async function hear(
  model: Wav2Vec2ForPreTraining,
  utterances: readonly Utterance[],
  plan: readonly PlannedBatch[],
  world: World,
  {
    preparation,
    signal,
    shown,
    batchSeconds: _,
    batchSize: __,
    ...loading
  }: Omit<EvaluatePreTrainingOptions, "world">,
): Promise<HeardPart> {
  const batches: HeardBatch[] = [];
  const usage = new CodebookUsage(model.config);
  const wasTraining = model.training;
  model.eval();
  try {
    for await (const batch of preTrainingBatches(
      utterances,
      shareOfBatches(plan, world),
      preparation,
      loading,
    )) {
      await turn(); // so that Ctrl+C is noticed also where the next batch is always there
      signal?.throwIfAborted();
      if (isEmpty(batch)) continue;
      noGrad(() =>
        scope(() => {
          const scored = forwardPreTraining(model, batch);
          const { loss, maskedFrames: count } = scored;
          const sums = { loss, count, ...preTrainingSums(scored, batch) };
          const numbers = Object.entries(sums).map(([name, value]) => [
            name,
            typeof value === "number" ? value : value.item(),
          ]);
          usage.add(countEntries(model.config, scored, batch));
          batches.push({
            batch: batch.place.batch,
            sums: Object.fromEntries(numbers) as Record<string, number>,
            clips: lookInto(scored, batch, shown),
          });
        }),
      );
    }
  } finally {
    model.train(wasTraining);
  }
  return { batches, counts: usage.counts };
}

/** How often each entry of each codebook was chosen, [groups][entries]. */
interface CodebookCounts {
  all: number[][];
  masked: number[][];
}

function noCounts({ numCodevectorGroups, numCodevectorsPerGroup }: Wav2Vec2Config): CodebookCounts {
  const zeros = () =>
    Array.from({ length: numCodevectorGroups }, () => Array<number>(numCodevectorsPerGroup).fill(0));
  return { all: zeros(), masked: zeros() };
}

function countEntries(
  config: Wav2Vec2Config,
  { codes }: ScoredBatch,
  { frames, time, mask }: PreTrainingBatch,
): CodebookCounts {
  const counts = noCounts(config);
  const groups = counts.all.length;
  const entries = codes.toArray().map(Number); // [batch * frames * groups]
  for (const [row, count] of frames.entries()) {
    for (let frame = row * time; frame < row * time + count; frame++) {
      for (let group = 0; group < groups; group++) {
        const entry = entries[frame * groups + group]!;
        counts.all[group]![entry]!++;
        if (mask[frame]) counts.masked[group]![entry]!++;
      }
    }
  }
  return counts;
}

/** Entries chosen over all batches: perplexities of single batches would depend on how large they are. */
class CodebookUsage {
  readonly counts: CodebookCounts;

  constructor(private readonly config: Wav2Vec2Config) {
    this.counts = noCounts(config);
  }

  add(counts: CodebookCounts): void {
    for (const kind of ["all", "masked"] as const) {
      for (const [group, entries] of counts[kind].entries()) {
        for (const [entry, count] of entries.entries()) this.counts[kind][group]![entry]! += count;
      }
    }
  }

  /** The metrics, with the perplexities of all batches together and the losses that follow from them. */
  describe(sums: Record<string, number>): Record<string, number> {
    const { config } = this;
    const { count = 0, contrastive = 0, featurePenalty = 0 } = sums;
    const perplexities = this.counts.masked.map(perplexity);
    const entries = config.numCodevectorGroups * config.numCodevectorsPerGroup;
    const diversity = (count * (entries - perplexities.reduce((sum, value) => sum + value, 0))) / entries;
    const weighted = config.diversityLossWeight * diversity + config.featurePenaltyWeight * featurePenalty;
    const own = Object.fromEntries(perplexities.map((value, group) => [`perplexity${group}`, value * count]));
    return preTrainingMetrics({ ...sums, ...own, diversity, loss: contrastive + weighted }, config);
  }
}

/** exp(entropy): how many entries are in use, as if equally often. */
function perplexity(counts: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const used = counts.filter((count) => count > 0).map((count) => count / total);
  return Math.exp(-used.reduce((sum, share) => sum + share * Math.log(share), 0));
}

/** What happened in those clips of a batch that are to be shown. */
function lookInto(
  { codes, logits }: ScoredBatch,
  { ids, frames, time, mask, lengths, input, paddedLength }: PreTrainingBatch,
  shown: ReadonlySet<string>,
): CodedClip[] {
  if (!ids.some((id) => shown.has(id))) return [];
  const groups = codes.shape[2]!;
  const entries = codes.toArray().map(Number);
  const right = logits.argmax(-1).eq(0).toBytes(); // [masked frames]
  let masked = 0; // of the clips before
  return ids.flatMap((id, row) => {
    const first = row * time;
    const own = mask.subarray(first, first + frames[row]!);
    const place = masked;
    masked += own.reduce((sum, value) => sum + value, 0);
    if (!shown.has(id)) return [];
    let seen = place;
    const samples = input.subarray(row * paddedLength, row * paddedLength + lengths[row]!);
    return {
      id,
      seconds: samples.length / SAMPLE_RATE,
      waveform: drawableWaveform(samples),
      masked: maskedSpans(own),
      codes: Array.from(own, (_, frame) =>
        entries.slice((first + frame) * groups, (first + frame + 1) * groups),
      ),
      found: Array.from(own, (value) => value === 1 && right[seen++] === 1),
    };
  });
}
