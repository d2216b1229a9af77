import { setImmediate as turn } from "node:timers/promises";
import {
  choice,
  ERROR_OR_SKIP,
  PATH,
  requireArguments,
  requireKind,
  TEXT,
  whole,
} from "../argument-kinds.js";
import { BATCH_LIMITS, type BatchLimits, epochOfBatches, shareOfBatches } from "../data/batches/batches.js";
import { type BatchLoadOptions, batchWorkers, isEmpty } from "../data/batches/load-batches.js";
import type { BadClip } from "../data/batches/prepare-batch.js";
import { readCorpus } from "../data/corpus/corpus.js";
import { splitNames } from "../data/corpus/corpus-splits.js";
import { readSplit } from "../data/corpus/read-split.js";
import type { TranscribedUtterance } from "../data/utterance.js";
import { gatherParts } from "../distributed/interrupted.js";
import { ALONE, type World } from "../distributed/world.js";
import { UserError } from "../errors.js";
import { tellNote } from "../files/tell-note.js";
import type { KnownOptions } from "../known-options.js";
import { requireOptions } from "../known-options.js";
import { inPrecision } from "../precision/in-precision.js";
import type { Precision } from "../precision/precision-names.js";
import { type CtcModel, findCtcModel, type LoadCtcOptions } from "../pretrained/ctc-directory.js";
import { CTC_MODEL_OR_NAME } from "../pretrained/ctc-model-kind.js";
import { batchLimits, ctcBatches } from "../recognition/emissions/ctc-batches.js";
import {
  engineFor,
  refuseDtype,
  refuseTorchOptions,
  WANTED_ENGINE,
  type WantedEngine,
} from "../recognition/engine-choice.js";
import { RECOGNIZER_OPTIONS } from "../recognition/recognizer.js";
import {
  type DecodingChoice,
  decodingEntries,
  makeDecoder,
} from "../recognition/transcript/decoding-choice.js";
import { unusedLanguageModel } from "../recognition/unused-language-model.js";
import { CtcDecoder } from "../text/decoding/ctc-decoder.js";
import { greedyConfidence } from "../text/scoring/confidence.js";
import { textErrors } from "../text/scoring/error-rate.js";
import {
  normalizationName,
  normalizeText,
  requireNormalizations,
  type TextNormalization,
} from "../text/scoring/normalize-text.js";
import { bootstrapWer, RESAMPLES } from "./comparison/bootstrap.js";
import { encodable } from "./encodable.js";
import type { EvaluatedUtterance, Evaluation, EvaluationResult } from "./evaluation.js";
import { type EvaluatedNetwork, onnxNetwork, type ScoredClip, torchNetwork } from "./network.js";
import {
  BOOTSTRAP_UNITS,
  type BootstrapUnit,
  bootstrapUnits,
  confusionsOf,
  groupScores,
  scoresOf,
  sumSeconds,
} from "./summary.js";
import { unknownCharacters } from "./unknown-characters.js";

const BATCH_SECONDS = 60;

export interface EvaluateOptions extends BatchLimits, BatchLoadOptions {
  /** Default: a beam search of 16 prefixes, without a language model */
  decoder?: CtcDecoder | undefined;
  /** What is done to references and hypotheses before they are compared. Default: nothing */
  textNormalization?: readonly TextNormalization[] | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: (done: number, total: number) => void;
  /** The processes that share the clips; all get the results of all clips. Default: this one alone */
  world?: World | undefined;
}

export interface EvaluateModelOptions extends BatchLimits, LoadCtcOptions, DecodingChoice {
  /** What runs the network. Default: `auto`, libtorch unless the directory holds an exported network alone */
  engine?: WantedEngine | undefined;
  /** Which of the networks that `export` wrote, as of `loadOnnxRecognizer`. Default: float32, else what there is */
  dtype?: string | undefined;
  /** CPU threads of onnxruntime; libtorch's are set by `setThreads`. Default: its choice, one a core */
  threads?: number | undefined;
  /** Directory in LibriSpeech layout, or another corpus that `readCorpus` knows. */
  data: string;
  /** One or, with + between them, several; all of a manifest or folder when left out. */
  split?: string | undefined;
  /**
   * What is done to references and hypotheses before they are compared, step by step: names, or functions of a text.
   * Default: nothing
   */
  textNormalization?: readonly TextNormalization[] | undefined;
  /** What the bootstrap draws. Default: utterance */
  bootstrapBy?: BootstrapUnit | undefined;
  /** Of the bootstrap. */
  resamples?: number | undefined;
  seed?: number | undefined;
  /** What a model in memory is called in the result. Default: "in memory" */
  name?: string | undefined;
  /** Whether clips that cannot be used end the evaluation or are left out and listed. Default: error */
  onBadData?: "error" | "skip" | undefined;
  onProgress?: (done: number, total: number) => void;
  /** Gets what is odd about the language model. */
  onNote?: ((text: string) => void) | undefined;
}

const OPTIONS = {
  ...RECOGNIZER_OPTIONS,
  engine: WANTED_ENGINE,
  dtype: TEXT,
  threads: whole(1, 256),
  data: PATH,
  split: TEXT,
  ...BATCH_LIMITS,
  textNormalization: true,
  bootstrapBy: choice(...BOOTSTRAP_UNITS),
  resamples: whole(1),
  seed: true,
  name: TEXT,
  onBadData: ERROR_OR_SKIP,
  onProgress: true,
} satisfies KnownOptions<EvaluateModelOptions>;

/**
 * Error rates of a model on a split of a corpus, with all that a table or a report says of them.
 *
 * @param modelOrName a model in memory, such as one that was just trained; a model directory or Hub id
 * @returns with `processingSeconds`: how long reading, recognising and scoring took, without loading the model
 * @throws UserError where the model is no recogniser or no clip can be used, naming what is wrong
 */
export async function evaluateModel(
  modelOrName: CtcModel | string,
  allOptions: EvaluateModelOptions,
): Promise<EvaluationResult & { processingSeconds: number }> {
  requireArguments("evaluateModel", { modelOrName: [modelOrName, CTC_MODEL_OR_NAME] });
  requireOptions("evaluateModel", allOptions, OPTIONS);
  requireKind("data of evaluateModel", allOptions.data, PATH);
  const { data, split, onBadData, bootstrapBy = "utterance", ...options } = allOptions;
  const { textNormalization = [], resamples = RESAMPLES, seed = 0, name = "in memory" } = options;
  requireNormalizations(textNormalization);
  const { utterances: clips, problems } = await readSplit(data, split, { onProblem: onBadData });
  const skipped = problems.map(({ id, message }) => ({ id, message }));
  const onBad = ({ id, message }: BadClip) => void skipped.push({ id, message });
  requireWords(clips, textNormalization, options.onNote);
  const engine = engineFor(typeof modelOrName === "string" ? modelOrName : undefined, options.engine);
  refuseDtype(engine, options.dtype);
  const opened = await (engine === "onnx"
    ? openExported(modelOrName as string, options)
    : openModel(modelOrName, options));
  const { network, precision, decoder } = opened;
  const workers = batchWorkers(1);
  const begin = performance.now();
  try {
    const loading = { workers, onBadAudio: onBadData, onBad };
    const labelled = await withSplits(clips, data, split);
    const { evaluation, ...acoustic } = await evaluateNetwork(network, labelled, {
      ...options,
      ...loading,
      decoder,
    });
    const { utterances, ...scores } = evaluation;
    const units = bootstrapUnits(utterances, bootstrapBy);
    return {
      model: typeof modelOrName === "string" ? modelOrName : name,
      data,
      ...(split === undefined ? {} : { split }),
      ...(engine === "onnx" ? { engine } : {}),
      ...(precision === undefined ? {} : { precision }),
      decoding: decodingOf(options, decoder),
      textNormalization: textNormalization.map(normalizationName),
      ...scores,
      werInterval: bootstrapWer(units, { resamples, seed }),
      bootstrap: { by: bootstrapBy, resamples, seed },
      utteranceCount: utterances.length,
      seconds: sumSeconds(utterances),
      ...acoustic,
      groups: groupScores(utterances, seed),
      confusions: confusionsOf(utterances),
      unit: network.tokenizer.phonemes ? "phoneme" : "word",
      unknownCharacters: unknownCharacters(utterances, network.tokenizer, textNormalization),
      utterances,
      skipped,
      processingSeconds: (performance.now() - begin) / 1000,
    };
  } finally {
    await Promise.all([workers.close(), opened.close()]);
  }
}

type OpenOptions = Omit<EvaluateModelOptions, "data">;

/** What is evaluated. */
interface OpenedNetwork {
  network: EvaluatedNetwork;
  decoder: CtcDecoder;
  precision?: Precision | undefined;
  /** Gives back its memory. */
  close(): Promise<void>;
}

async function openModel(modelOrName: CtcModel | string, options: OpenOptions): Promise<OpenedNetwork> {
  const ctc =
    typeof modelOrName !== "string"
      ? await inPrecision(modelOrName, options.precision, { ...options, device: modelOrName.model.device })
      : await findCtcModel(modelOrName, { ...options, device: options.device ?? "auto" });
  if (typeof modelOrName === "string")
    tellNote(options, await unusedLanguageModel(modelOrName, options.languageModel));
  const { tokenizer, precision, model } = ctc;
  const decoder = await makeDecoder(tokenizer, options, options.onNote);
  const wasTraining = model.training;
  model.eval();
  const close = async () => void model.train(wasTraining);
  return { network: torchNetwork(ctc), decoder, precision, close };
}

async function openExported(
  directory: string,
  { device, precision, revision, language, dtype, threads, onNote, ...options }: OpenOptions,
): Promise<OpenedNetwork> {
  refuseTorchOptions({ device, precision, revision });
  const { loadOnnxRecognizer } = await import("../recognition/load-onnx-recognizer.js");
  const { languageModel, beamWidth, lmWeight, wordScore, unknownScore, hotwords, hotwordWeight } = options;
  const decoding = { languageModel, beamWidth, lmWeight, wordScore, unknownScore, hotwords, hotwordWeight };
  const recognizer = await loadOnnxRecognizer(directory, { ...decoding, language, dtype, threads, onNote });
  const { decoder } = recognizer;
  return { network: onnxNetwork(recognizer), decoder, close: () => recognizer.close() };
}

/**
 * Whether there is something to find: a reference may have no words left where it is normalised.
 *
 * @throws UserError where none has
 */
function requireWords(
  clips: readonly TranscribedUtterance[],
  textNormalization: readonly TextNormalization[],
  onNote: (text: string) => void = () => {},
): void {
  const wordless = clips.filter(({ text }) => normalizeText(text, textNormalization).trim() === "");
  const [first] = wordless;
  if (!first) return;
  const without = `without ${textNormalization.map(normalizationName).join(" and ")}`;
  if (wordless.length === clips.length)
    throw new UserError(
      `references must have words to be compared, but ${without} none has, such as ${first.id}.`,
    );
  onNote(
    `References without words ${without}: ${wordless.length} of ${clips.length}, such as ${first.id}. All words that are recognised there count as inserted.`,
  );
}

/** What mattered to the decoder, defaults included. */
function decodingOf({ languageModel }: DecodingChoice, { options }: CtcDecoder): Record<string, unknown> {
  const { beamWidth, lmWeight, wordScore, unknownScore, hotwords, hotwordWeight } = options;
  return decodingEntries({
    beamWidth,
    ...(languageModel !== undefined && { languageModel, lmWeight, wordScore, unknownScore }),
    ...(hotwords.length > 0 && { hotwords, hotwordWeight }),
  });
}

/** Where several splits are joined, each utterance with its own. */
async function withSplits(
  clips: readonly TranscribedUtterance[],
  data: string,
  split: string | undefined,
): Promise<readonly TranscribedUtterance[]> {
  if (split === undefined) return clips;
  const names = splitNames(split);
  const splits = new Map<string, string>();
  for (const name of names) {
    // What is wrong with them was said when all were read; lengths come from the index.
    const { utterances } =
      names.length > 1 ? await readCorpus(data, name, { onProblem: "skip" }) : { utterances: clips };
    for (const { id } of utterances) if (!splits.has(id)) splits.set(id, name);
  }
  return clips.map((clip) => ({ ...clip, split: splits.get(clip.id)! }));
}

/**
 * The same with a model in memory, as training needs it: transcripts with their errors, and what the network's scores
 * say beside them.
 */
export async function evaluate(
  ctc: CtcModel,
  utterances: readonly TranscribedUtterance[],
  options: EvaluateOptions = {},
): Promise<NetworkEvaluation> {
  const { model } = ctc;
  const wasTraining = model.training;
  model.eval();
  try {
    return await evaluateNetwork(torchNetwork(ctc), utterances, options);
  } finally {
    model.train(wasTraining);
  }
}

interface NetworkEvaluation {
  evaluation: Evaluation;
  blankShare: number;
  confidence: number;
  ctcLoss: number;
}

/** The same with a network of either engine. */
async function evaluateNetwork(
  network: EvaluatedNetwork,
  utterances: readonly TranscribedUtterance[],
  {
    batchSeconds,
    batchSize,
    decoder = new CtcDecoder(network.tokenizer),
    textNormalization = [],
    signal,
    onProgress,
    world = ALONE,
    ...loading
  }: EvaluateOptions,
): Promise<NetworkEvaluation> {
  const limits = batchLimits({ batchSeconds, batchSize }, BATCH_SECONDS);
  const plan = epochOfBatches(utterances, { ...limits, seed: 0, epoch: 0 });
  const labelled = encodable(utterances, network.tokenizer);
  const recognize = async () => {
    const own = new Map<string, RecognizedClip>();
    for await (const batch of ctcBatches(network, labelled, shareOfBatches(plan, world), {
      ...loading,
      unknown: "token",
    })) {
      await turn(); // so that Ctrl+C comes through also where the next batch is always there
      signal?.throwIfAborted();
      if (isEmpty(batch)) continue;
      const scored = await network.score(batch);
      for (const [row, id] of batch.ids.entries()) own.set(id, recognized(scored[row]!, decoder));
      onProgress?.(Math.min(own.size * world.size, utterances.length), utterances.length);
    }
    return [...own];
  };
  const all = new Map((await gatherParts(world, signal, recognize)).flat());
  if (all.size === 0) throw new UserError("The clips to evaluate on must be readable, but none is.");
  const clips = utterances.flatMap(({ id }) => all.get(id) ?? []);
  const frames = clips.reduce((sum, clip) => sum + clip.frames, 0);
  const blanks = clips.reduce((sum, clip) => sum + clip.blankShare * clip.frames, 0);
  const losses = clips.flatMap(({ loss }) => (loss !== null && Number.isFinite(loss) ? loss : []));
  const evaluated = utterances.flatMap((utterance) => {
    const clip = all.get(utterance.id);
    return clip ? evaluatedUtterance(utterance, clip, textNormalization) : [];
  });
  return {
    evaluation: { ...scoresOf(evaluated), utterances: evaluated },
    blankShare: frames ? blanks / frames : 0,
    confidence: mean(clips.map(({ confidence }) => confidence)),
    ctcLoss: mean(losses),
  };
}

/** What the network makes of a clip. */
interface RecognizedClip {
  text: string;
  frames: number;
  blankShare: number;
  confidence: number;
  /** Not finite where its labels fit no path: null on its way between processes. */
  loss: number | null;
}

function recognized({ logits, frames, loss }: ScoredClip, decoder: CtcDecoder): RecognizedClip {
  const { text, blankShare } = decoder.decode(logits, frames);
  const { size, blankId } = decoder.tokenizer.vocabulary;
  return { text, frames, blankShare, confidence: greedyConfidence(logits, frames, size, blankId), loss };
}

function evaluatedUtterance(
  { id, path, start, end, text, split, speaker, seconds }: TranscribedUtterance,
  { text: output, frames, blankShare, confidence }: RecognizedClip,
  textNormalization: readonly TextNormalization[],
): EvaluatedUtterance {
  const [reference, hypothesis] = [
    normalizeText(text, textNormalization),
    normalizeText(output, textNormalization),
  ];
  return {
    id,
    reference,
    hypothesis,
    ...(split === undefined ? {} : { split }),
    ...(speaker === undefined ? {} : { speaker }),
    path,
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    seconds,
    frames,
    blankShare,
    confidence,
    ...textErrors(reference, hypothesis),
  };
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
