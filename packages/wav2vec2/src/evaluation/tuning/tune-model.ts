import { availableParallelism } from "node:os";
import { noGrad, scope } from "@wav2vec2/libtorch";
import { OBJECT, PATH, requireArguments, TEXT, whole } from "../../argument-kinds.js";
import { epochOfBatches } from "../../data/batches/batches.js";
import { batchWorkers, isEmpty } from "../../data/batches/load-batches.js";
import { readSplit } from "../../data/corpus/read-split.js";
import { Random } from "../../data/random.js";
import type { TranscribedUtterance } from "../../data/utterance.js";
import { WorkerPool } from "../../data/worker-pool.js";
import { resolveModel } from "../../files/hub/hub.js";
import { type KnownOptions, requireOptions } from "../../known-options.js";
import {
  type CtcModel,
  findCtcModel,
  LOAD_CTC_OPTIONS,
  type LoadCtcOptions,
} from "../../pretrained/ctc-directory.js";
import { hubRequest } from "../../pretrained/model-directory.js";
import {
  clipEmissions,
  ctcBatches,
  type Emissions,
  scoreBatch,
} from "../../recognition/emissions/ctc-batches.js";
import {
  DECODING_CHOICE_OPTIONS,
  type DecodingChoice,
  makeDecoder,
} from "../../recognition/transcript/decoding-choice.js";
import { wholeSentences, wholeSentencesNote } from "../../text/scoring/whole-sentences.js";
import { encodable } from "../encodable.js";
import { searchWeights, type WeightedErrors } from "./tune-decoding.js";
import type { TuningJob } from "./tuning-worker.js";

const MOST_THREADS = 64;

export interface TuneOptions extends LoadCtcOptions {
  /** Directory in LibriSpeech layout, or another corpus that `readCorpus` knows. */
  data: string;
  /** The clips to choose on: never those to report on. */
  split: string | undefined;
  /** What stays as it is; its language model is the one whose weight is looked for. */
  choice: DecodingChoice & { languageModel: string };
  /** Clips to choose on at most, drawn by a seed; all when left out. */
  utterances?: number | undefined;
  /** That decode. Default: one a core */
  threads?: number | undefined;
  onRecognized?: (done: number, total: number) => void;
  onMeasured?: (done: number, total: number, best: WeightedErrors) => void;
  onNote?: ((text: string) => void) | undefined;
}

const OPTIONS = {
  ...LOAD_CTC_OPTIONS,
  data: PATH,
  split: TEXT,
  choice: OBJECT,
  utterances: whole(1),
  threads: whole(1),
  onRecognized: true,
  onMeasured: true,
} satisfies KnownOptions<TuneOptions>;

/**
 * Chooses the weights of a language model and of words on a split: the network recognises each clip once, then weights after
 * weights decode its scores. The word error rate decides; where it counts whole sentences (`wholeSentences`), the character error
 * rate.
 *
 * @param nameOrDirectory model directory or Hub id
 * @returns all weights that were tried, best first, and the clips that were decoded
 * @throws UserError as `evaluateModel`
 */
export async function tuneDecoding(
  nameOrDirectory: string,
  allOptions: TuneOptions,
): Promise<{ tried: WeightedErrors[]; clips: number }> {
  requireOptions("tuneDecoding", allOptions, OPTIONS);
  const { data, split, choice, utterances: most, onRecognized, onMeasured, onNote, ...options } = allOptions;
  requireArguments("tuneDecoding", {
    nameOrDirectory: [nameOrDirectory, TEXT],
    data: [data, PATH],
    choice: [choice, OBJECT],
  });
  requireOptions("choice", choice, DECODING_CHOICE_OPTIONS);
  requireArguments("choice", { languageModel: [choice.languageModel, PATH] });
  const { threads = availableParallelism(), language } = options;
  const { utterances } = await readSplit(data, split, {});
  const clips = drawn(utterances, most);
  const directory = await resolveModel(nameOrDirectory, {
    ...hubRequest({ ...options, onNote }),
    adapter: language,
    tokenizer: true,
  });
  const { precision, device = "auto" } = options;
  const ctc = await findCtcModel(directory, { language, onNote, device, precision });
  await makeDecoder(ctc.tokenizer, choice, onNote); // what is wrong with it is said before the clips are recognised
  const emissions = await emissionsOf(ctc, clips, onRecognized);
  const tokenizer = language === undefined ? { size: ctc.model.config.vocabSize } : { language };
  const pool = new WorkerPool<TuningJob, { wer: number; cer: number }>(
    new URL("./tuning-worker.js", import.meta.url),
    Math.max(1, Math.min(threads, MOST_THREADS)),
  );
  try {
    const references = clips.map(({ text }) => text);
    const measure = (weights: TuningJob["weights"]) =>
      pool.run({ directory, tokenizer, choice, weights, references, ...emissions });
    const sentences = wholeSentences(references);
    if (sentences > 0) onNote?.(`${wholeSentencesNote(sentences, clips.length)} Weights are chosen by it.`);
    const by = sentences > 0 ? "cer" : "wer";
    return { tried: await searchWeights(measure, onMeasured, by), clips: clips.length };
  } finally {
    await pool.close();
  }
}

function drawn(utterances: TranscribedUtterance[], most: number | undefined): TranscribedUtterance[] {
  if (most === undefined || most >= utterances.length) return utterances;
  return new Random(0, "tuning").shuffle([...utterances]).slice(0, most);
}

const BATCH_SECONDS = 60;

/** Emissions of all clips in their order, in memory that threads share. */
async function emissionsOf(
  ctc: CtcModel,
  clips: readonly TranscribedUtterance[],
  onRecognized: TuneOptions["onRecognized"],
): Promise<Pick<TuningJob, "logits" | "frames">> {
  const places = new Map(clips.map(({ id }, place) => [id, place]));
  const emissions = clips.map((): Emissions => ({ logits: new Float32Array(0), frames: 0 }));
  const limits = { batchSeconds: BATCH_SECONDS, seed: 0, epoch: 0, shuffle: false };
  const plan = epochOfBatches(clips, limits);
  const workers = batchWorkers(1);
  let done = 0;
  ctc.model.eval();
  try {
    const labelled = encodable(clips, ctc.tokenizer);
    for await (const batch of ctcBatches(ctc, labelled, plan, { workers, unknown: "token" })) {
      if (isEmpty(batch)) continue;
      const scores = noGrad(() => scope(() => clipEmissions(scoreBatch(ctc, batch))));
      for (const [row, id] of batch.ids.entries()) emissions[places.get(id)!] = scores[row]!;
      done += batch.ids.length;
      onRecognized?.(done, clips.length);
    }
  } finally {
    await workers.close();
  }
  const size = emissions.reduce((sum, { logits }) => sum + logits.length, 0);
  const logits = new Float32Array(new SharedArrayBuffer(size * Float32Array.BYTES_PER_ELEMENT));
  let end = 0;
  for (const each of emissions) {
    logits.set(each.logits, end);
    end += each.logits.length;
  }
  return { logits, frames: emissions.map(({ frames }) => frames) };
}
