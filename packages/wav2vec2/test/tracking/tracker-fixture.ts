import type { CodedClip } from "../../src/tracking/coded-clip.js";
import type { RunDescription } from "../../src/tracking/run-description.js";
import type { SinkContext } from "../../src/tracking/sink-context.js";

/** The Python that has tensorboard, mlflow and trackio, where there is one. */
export const TRACKERS_PYTHON = process.env.TRACKERS_PYTHON;

/** @param recipe changes of it */
export function runDescription(directory: string, changes: Partial<RunDescription> = {}): RunDescription {
  return {
    name: "tones",
    id: "ab12cd34",
    directory,
    task: "finetune",
    recipe: {
      task: "finetune",
      seed: 1,
      max_steps: 100,
      output: directory,
      optimizer: { learning_rate: 0.0005, betas: [0.9, 0.98] },
      schedule: { name: "linear", warmup_steps: undefined },
      freeze_feature_encoder: true,
    },
    config: { model_type: "wav2vec2", hidden_size: 16 },
    parameters: { all: 1234, trained: 1000 },
    processes: 1,
    host: "host",
    device: "cpu",
    command: ["wav2vec2", "finetune", "--config", "recipe.yaml"],
    versions: { wav2vec2: "0.1.0", libtorch: "2.15.0", node: "20.0.0" },
    began: Date.now() - 5000,
    resumed: false,
    ...changes,
  };
}

/** What surrounds a sink, and what it said. */
export function sinkContext(): SinkContext & { notes: string[] } {
  const notes: string[] = [];
  return {
    notes,
    now: Date.now,
    working() {},
    note: (text) => void notes.push(text),
    stop: (reason) => void notes.push(reason),
  };
}

export function codedClip(id: string, path: string): CodedClip {
  const frames = 50;
  return {
    id,
    path,
    seconds: 1,
    waveform: Array.from({ length: 100 }, (_, piece) => [-0.5, Math.sin(piece / 9)]),
    masked: [[10, 20]],
    codes: Array.from({ length: frames }, (_, frame) => [frame % 7, frame % 5]),
    found: Array.from({ length: frames }, (_, frame) => frame % 3 === 0),
  };
}
