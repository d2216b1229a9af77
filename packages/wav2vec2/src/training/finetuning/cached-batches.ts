import { fromHost } from "@wav2vec2/libtorch";
import type { PlannedBatch } from "../../data/batches/batches.js";
import type { CtcBatch } from "../../data/batches/ctc-collator.js";
import { type EmptyBatch, emptyBatch, isEmpty, placeOf } from "../../data/batches/load-batches.js";
import { type TextOf, textTransform } from "../../data/batches/load-transforms.js";
import type { BadClip } from "../../data/batches/prepare-batch.js";
import type { TranscribedUtterance } from "../../data/utterance.js";
import { UserError } from "../../errors.js";
import type { CtcOutput, CtcTargets, Wav2Vec2ForCTC } from "../../model/heads/ctc.js";
import type { CtcModel } from "../../pretrained/ctc-directory.js";
import {
  type CtcBatchOptions,
  type CtcTrainingBatch,
  ctcBatches,
} from "../../recognition/emissions/ctc-batches.js";
import type { TrainingBatch } from "../task/task.js";
import { type CachedFeatures, type FeatureCache, tensorOf } from "./feature-cache.js";

/** A batch whose audio was not needed. */
export interface CachedBatch extends TrainingBatch, CtcTargets {
  features: CachedFeatures;
}

export type AnyCtcBatch = CtcTrainingBatch | CachedBatch;

/** Batches that are read before they are asked for. */
const AHEAD = 2;

export interface CachedBatchOptions {
  cache: FeatureCache;
  loading: Omit<CtcBatchOptions, "unknown" | "augmentation">;
  /** Told once, when no clip's audio is needed any more. */
  onComplete: () => void;
}

/**
 * The batches of an endless plan: audio in epochs that begin with features missing, which {@link cachedForward} then
 * writes, features alone from the next epoch on. Both have the same clips in the same order.
 *
 * @throws UserError as `ctcBatches`, and for features that cannot be read or written
 */
export async function* cachedCtcBatches(
  ctc: CtcModel,
  utterances: readonly TranscribedUtterance[],
  plan: Iterable<PlannedBatch>,
  { cache, loading, onComplete }: CachedBatchOptions,
): AsyncGenerator<AnyCtcBatch | EmptyBatch> {
  const bad = new Set<string>(); // clips that cannot be read have no features
  const reading = {
    ...loading,
    onBad(clip: BadClip) {
      bad.add(clip.id);
      loading.onBad?.(clip);
    },
  };
  const isMissing = ({ id }: { id: string }) => !cache.has(id) && !bad.has(id);
  let told = false;
  const textOf = await textTransform(loading.transforms, { seed: loading.seed ?? 0, training: true });
  for (const planned of epochByEpoch(plan)) {
    if (utterances.some(isMissing)) {
      let used = false;
      for await (const each of ctcBatches(ctc, utterances, planned, { ...reading, unknown: "error" })) {
        used ||= !isEmpty(each);
        yield each;
        await cache.settled();
      }
      if (!used) throw new UserError("An epoch must have a clip that can be read, but all are bad.");
      await cache.refresh(); // other processes have written theirs
    } else {
      if (!told) onComplete();
      told = true;
      yield* featureBatches(ctc, utterances, planned, { cache, bad, textOf });
    }
  }
}

/** The batches of each epoch together. */
function* epochByEpoch(plan: Iterable<PlannedBatch>): Generator<PlannedBatch[]> {
  let planned: PlannedBatch[] = [];
  for (const batch of plan) {
    if (planned[0] && planned[0].epoch !== batch.epoch) {
      yield planned;
      planned = [];
    }
    planned.push(batch);
  }
}

async function* featureBatches(
  { tokenizer }: CtcModel,
  utterances: readonly TranscribedUtterance[],
  plan: Iterable<PlannedBatch>,
  { cache, bad, textOf }: { cache: FeatureCache; bad: ReadonlySet<string>; textOf: TextOf },
): AsyncGenerator<CachedBatch | EmptyBatch> {
  const read = async (planned: PlannedBatch): Promise<CachedBatch | EmptyBatch> => {
    const placed = placeOf(planned);
    const clips = planned.indices.map((index) => utterances[index]!).filter(({ id }) => !bad.has(id));
    if (clips.length === 0) return emptyBatch(placed);
    const ids = clips.map(({ id }) => id);
    const labels = clips.map((clip) =>
      tokenizer.encode(textOf(clip, planned.epoch), { utterance: clip.id, unknown: "error" }),
    );
    return {
      ...placed,
      ids,
      features: await cache.read(ids),
      lengths: Int32Array.from(ids, (id) => cache.samplesOf(id)),
      labels: Int32Array.from(labels.flatMap((each) => [...each])),
      labelLengths: Int32Array.from(labels, ({ length }) => length),
    };
  };
  const pending: Promise<CachedBatch | EmptyBatch>[] = [];
  const start = (planned: PlannedBatch) => {
    const batch = read(planned);
    batch.catch(() => {}); // it is awaited later, or never
    pending.push(batch);
  };
  for (const planned of plan) {
    start(planned);
    if (pending.length <= AHEAD) continue;
    yield (await pending.shift())!;
  }
  for (const each of pending) yield await each;
}

/** What a network makes of a batch, from features where they are there; otherwise they are made, and kept. */
export function cachedForward(model: Wav2Vec2ForCTC, batch: AnyCtcBatch, cache: FeatureCache): CtcOutput {
  const { lengths } = batch;
  const features =
    "features" in batch ? tensorOf(batch.features, model.device) : encodeAndKeep(model, batch, cache);
  return model.forward({ features, lengths });
}

/** The encoder is frozen. Its features are computed as training without a cache computes them, to the last bit. */
function encodeAndKeep(model: Wav2Vec2ForCTC, batch: CtcBatch, cache: FeatureCache) {
  const input = fromHost(batch.input, [batch.ids.length, batch.paddedLength], model.device);
  const features = model.wav2vec2.encode({ input, lengths: batch.lengths });
  for (const [row, id] of batch.ids.entries()) if (!cache.has(id)) cache.put(id, features.select(0, row));
  return features;
}
