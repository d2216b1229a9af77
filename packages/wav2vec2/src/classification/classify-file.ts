import { basename, extname } from "node:path";
import { PATH, requireArguments } from "../argument-kinds.js";
import { readAudio } from "../audio/audio-file.js";
import type { Segment } from "../data/labels/rttm.js";
import { Wav2Vec2ForAudioFrameClassification } from "../model/heads/audio-frame-classification.js";
import type { Classifier } from "./classifier-directory.js";
import { CLASSIFIER } from "./classifier-kind.js";
import { segmentsOfFrames } from "./frame-targets.js";
import { chooseFrameLabels, predictSamples, rankLabels } from "./predict.js";

/** What a model says of a recording. */
export interface FileLabels {
  /** The file's name without its ending. */
  recording: string;
  /** All labels with their scores, the likeliest first: probabilities, of speakers cosines. */
  labels?: { label: string; score: number }[];
  /** Of a model with labels of frames: what is there when, in seconds. */
  segments?: Segment[];
  /** Of a model that tells speakers apart: the vector that does. */
  embedding?: number[];
}

/** @throws UserError for a file that is no audio, or too large to be read as a whole */
export async function classifyFile(classifier: Classifier, path: string): Promise<FileLabels> {
  requireArguments("classifyFile", { classifier: [classifier, CLASSIFIER], path: [path, PATH] });
  const recording = basename(path, extname(path));
  const prediction = predictSamples(classifier, await readAudio(path), path);
  const { model } = classifier;
  if (model instanceof Wav2Vec2ForAudioFrameClassification) {
    const chosen = chooseFrameLabels(model, prediction);
    return { recording, segments: segmentsOfFrames(model.config, chosen, prediction.frames) };
  }
  const labels = rankLabels(model.labels, prediction.scores);
  const { embedding } = prediction;
  return { recording, labels, ...(embedding && { embedding: [...embedding] }) };
}
