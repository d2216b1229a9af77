// What all programs compute on, as raw files: the same numbers for each.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { collatePreTraining, normalize, Random } from "wav2vec2";
import { NETWORKS } from "./networks.mjs";

const RATE = 16000;
/** Characters a second of LibriSpeech's transcripts, about. */
const LABELS_PER_SECOND = 14;

/**
 * Noise of a speech's level: what samples are does not change how long they take.
 *
 * @param {string} folder
 * @param {import("./jobs.mjs").Job} job
 * @returns files and shapes: audio float32 [clips, samples], normalised; of fine-tuning labels int32 [clips, labels]; of
 * pre-training mask uint8 [clips, frames] and negatives int32 [clips, frames, count]
 */
export function writeInputs(folder, { kind, network, clips, seconds }) {
  const { masks, config } = NETWORKS[network];
  const directory = join(folder, `inputs-${kind}-${clips}x${seconds}-${network}`);
  const samples = seconds * RATE;
  const path = (name) => join(directory, name);
  const files = { audio: path("audio.f32"), clips, samples };
  const random = new Random(1, "side by side");
  const audio = Array.from({ length: clips }, () =>
    normalize(Float32Array.from({ length: samples }, () => random.uniform() - 0.5)),
  );
  const write = (name, values) => {
    if (!existsSync(path(name))) writeFileSync(path(name), Buffer.from(values.buffer));
  };
  mkdirSync(directory, { recursive: true });
  write("audio.f32", Float32Array.from(audio.flatMap((clip) => Array.from(clip))));
  if (kind === "finetune") {
    const labels = Math.floor(seconds * LABELS_PER_SECOND);
    write(
      "labels.i32",
      Int32Array.from({ length: clips * labels }, () => 5 + random.integer(26)),
    );
    return { ...files, labels: path("labels.i32"), labelsAClip: labels };
  }
  if (kind !== "pretrain") return files;
  const items = audio.map((clip, index) => ({ id: String(index), samples: clip }));
  const collation = { ...config, ...masks, padding: "crop" };
  const batch = collatePreTraining(items, collation, () => random.uniform());
  write("mask.u8", batch.mask);
  write("negatives.i32", batch.negatives);
  return {
    ...files,
    mask: path("mask.u8"),
    negatives: path("negatives.i32"),
    frames: batch.time,
    negativesAFrame: config.numNegatives,
  };
}
