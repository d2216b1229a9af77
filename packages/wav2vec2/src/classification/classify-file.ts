import { basename, extname } from "node:path";
import { fileURLToPath } from "node:url";
import { requireArguments } from "../argument-kinds.js";
import type { AudioSource } from "../audio/audio-source.js";
import { type AudioStreamOptions, STREAM_OPTIONS, streamAudio } from "../audio/audio-stream.js";
import { joined } from "../audio/joined.js";
import { RECORDING } from "../audio/sources/source-names.js";
import type { Segment } from "../data/labels/rttm.js";
import { requireOptions } from "../known-options.js";
import { Wav2Vec2ForAudioFrameClassification } from "../model/heads/audio-frame-classification.js";
import type { Classifier } from "./classifier-directory.js";
import { CLASSIFIER } from "./classifier-kind.js";
import { segmentsOfFrames } from "./frame-targets.js";
import { chooseFrameLabels, predictSamples, rankLabels } from "./predict.js";

/** What a model says of a recording. */
export interface FileLabels {
  /** The recording's name without its ending. */
  recording: string;
  /** All labels with their scores, the likeliest first: probabilities, of speakers cosines. */
  labels?: { label: string; score: number }[];
  /** Of a model with labels of frames: what is there when, in seconds. */
  segments?: Segment[];
  /** Of a model that tells speakers apart: the vector that does. */
  embedding?: number[];
}

/**
 * What a model says of a recording, which is taken as a whole.
 *
 * @param classifier in memory: of `loadClassifier`, or as `trainClassifier` returns it
 * @param source a path, a file's bytes such as an upload's, a stream, samples: see {@link AudioSource}
 * @param options.name of the recording. Default: the path's, URL's or file's where the source has one
 * @throws UserError for what is no audio, or cannot be read as a whole
 * @throws TypeError where the classifier is none, such as a directory's name
 * @throws ConfigurationError for options that do not exist
 * @throws the signal's reason where it is aborted
 */
export async function classifyFile(
  classifier: Classifier,
  source: AudioSource,
  options: AudioStreamOptions = {},
): Promise<FileLabels> {
  requireArguments("classifyFile", { classifier: [classifier, CLASSIFIER] });
  requireOptions("classifyFile", options, STREAM_OPTIONS);
  const name = options.name ?? nameOf(source);
  const blocks: Float32Array[] = [];
  for await (const block of streamAudio(source, options)) blocks.push(block);
  const prediction = predictSamples(classifier, joined(blocks), name);
  const recording = basename(name, extname(name));
  const { model } = classifier;
  if (model instanceof Wav2Vec2ForAudioFrameClassification) {
    const chosen = chooseFrameLabels(model, prediction);
    return { recording, segments: segmentsOfFrames(model.config, chosen, prediction.frames) };
  }
  const labels = rankLabels(model.labels, prediction.scores);
  const { embedding } = prediction;
  return { recording, labels, ...(embedding && { embedding: [...embedding] }) };
}

/** What a source is called that has no name in the options. */
function nameOf(source: AudioSource): string {
  if (typeof source === "string") return source;
  if (source instanceof URL && source.protocol !== "data:")
    return source.protocol === "file:" ? fileURLToPath(source) : source.pathname;
  return source instanceof Blob && "name" in source && typeof source.name === "string" && source.name !== ""
    ? source.name
    : RECORDING;
}
