import type { Wav2Vec2Config } from "../configuration.js";
import { Wav2Vec2ForAudioFrameClassification } from "./audio-frame-classification.js";
import { Wav2Vec2ForSequenceClassification } from "./sequence-classification.js";
import { Wav2Vec2ForXVector } from "./xvector.js";

/** A label for a clip, labels for each frame, or a vector that tells the speaker. */
export type ClassificationTask = "classify" | "frames" | "speaker";

export type ClassificationModel =
  | Wav2Vec2ForSequenceClassification
  | Wav2Vec2ForAudioFrameClassification
  | Wav2Vec2ForXVector;

/** Hugging Face's class of the network with the head of each task. */
export const CLASSIFIERS: Readonly<
  Record<ClassificationTask, new (config: Wav2Vec2Config) => ClassificationModel>
> = {
  classify: Wav2Vec2ForSequenceClassification,
  frames: Wav2Vec2ForAudioFrameClassification,
  speaker: Wav2Vec2ForXVector,
};

const TASKS = Object.keys(CLASSIFIERS) as ClassificationTask[];

/** Whether something is a network with a classification head. */
export function isClassificationModel(model: unknown): model is ClassificationModel {
  return TASKS.some((task) => model instanceof CLASSIFIERS[task]);
}

/** What a model with a classification head does. */
export function taskOfModel(model: ClassificationModel): ClassificationTask {
  return TASKS.find((task) => model instanceof CLASSIFIERS[task])!;
}

/** The task of a model class by its name in `architectures` of config.json; undefined for others. */
export function taskOfArchitecture(name: string | undefined): ClassificationTask | undefined {
  return TASKS.find((task) => CLASSIFIERS[task].name === name);
}
