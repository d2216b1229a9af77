import type { Wav2Vec2Config } from "../model/configuration.js";
import type { ClassificationTask } from "../model/heads/classification-task.js";
import { xvectorSamples } from "../model/heads/xvector.js";
import { minimumSamples } from "../model/lengths.js";

interface TaskFacts {
  /** The column of a manifest that labels stand in unless another is named. */
  column: string;
  /** The fewest samples of a clip; shorter ones are lengthened with zeros. */
  minimumSamples: (config: Wav2Vec2Config) => number;
}

export const CLASSIFICATION_TASKS: Readonly<Record<ClassificationTask, TaskFacts>> = {
  classify: { column: "label", minimumSamples },
  frames: { column: "segments", minimumSamples },
  speaker: { column: "speaker", minimumSamples: xvectorSamples },
};
