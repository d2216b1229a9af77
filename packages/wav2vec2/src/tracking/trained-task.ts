/** What runs train, and how people call it. */
export const TASK_NAMES = {
  pretrain: "pre-training",
  finetune: "fine-tuning",
  classify: "classification",
  frames: "classification of frames",
  speaker: "telling speakers apart",
} as const;

export type TrainedTask = keyof typeof TASK_NAMES;

/** A task by its name in a file; undefined for other values. */
export function trainedTask(value: unknown): TrainedTask | undefined {
  return Object.keys(TASK_NAMES).find((task): task is TrainedTask => task === value);
}

/** Whether a run trains a classification head. */
export function isClassification(task: TrainedTask | undefined): boolean {
  return task === "classify" || task === "frames" || task === "speaker";
}
