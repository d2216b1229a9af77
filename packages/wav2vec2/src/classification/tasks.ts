import type { Wav2Vec2Config } from "../model/configuration.js";
import { Wav2Vec2ForAudioFrameClassification } from "../model/heads/audio-frame-classification.js";
import { Wav2Vec2ForSequenceClassification } from "../model/heads/sequence-classification.js";
import { Wav2Vec2ForXVector, xvectorSamples } from "../model/heads/xvector.js";
import { minimumSamples } from "../model/lengths.js";

/** A label for a clip, labels for each frame, or a vector that tells the speaker. */
export type ClassificationTask = "classify" | "frames" | "speaker";

export type ClassificationModel =
  | Wav2Vec2ForSequenceClassification
  | Wav2Vec2ForAudioFrameClassification
  | Wav2Vec2ForXVector;

interface TaskFacts {
  /** Hugging Face's class of the network with this head. */
  modelClass: new (
    config: Wav2Vec2Config,
  ) => ClassificationModel;
  /** The column of a manifest that labels stand in unless another is named. */
  column: string;
  /** The fewest samples of a clip; shorter ones are lengthened with zeros. */
  minimumSamples: (config: Wav2Vec2Config) => number;
}

export const CLASSIFICATION_TASKS: Readonly<Record<ClassificationTask, TaskFacts>> = {
  classify: { modelClass: Wav2Vec2ForSequenceClassification, column: "label", minimumSamples },
  frames: { modelClass: Wav2Vec2ForAudioFrameClassification, column: "segments", minimumSamples },
  speaker: { modelClass: Wav2Vec2ForXVector, column: "speaker", minimumSamples: xvectorSamples },
};

/** What a model with a classification head does. */
export function taskOfModel(model: ClassificationModel): ClassificationTask {
  if (model instanceof Wav2Vec2ForXVector) return "speaker";
  return model instanceof Wav2Vec2ForAudioFrameClassification ? "frames" : "classify";
}

/** The task of a model class by its name in `architectures` of config.json; undefined for others. */
export function taskOfArchitecture(name: string | undefined): ClassificationTask | undefined {
  const names = Object.keys(CLASSIFICATION_TASKS) as ClassificationTask[];
  return names.find((task) => CLASSIFICATION_TASKS[task].modelClass.name === name);
}
