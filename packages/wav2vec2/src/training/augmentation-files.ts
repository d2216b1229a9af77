import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { Augmentation, type AugmentationOptions } from "../data/batches/augmentation.js";
import { UserError } from "../errors.js";
import { unreadable } from "../files/unreadable.js";
import type { Recipe } from "./recipe.js";

const AUDIO = new Set([".wav", ".flac", ".mp3", ".ogg", ".opus"]);

/**
 * What a recipe says of augmentation, with the files of its directories.
 *
 * @returns undefined where all of it is off
 * @throws UserError where a directory cannot be read or holds no audio
 * @throws ConfigurationError for values out of range
 */
export async function findAugmentation(data: Recipe["data"]): Promise<AugmentationOptions | undefined> {
  const { speed_perturbation: speedPerturbation, noise, reverberation, volume } = data;
  const options: AugmentationOptions = {};
  if (speedPerturbation > 0) options.speedPerturbation = speedPerturbation;
  if (noise.directory !== undefined) {
    const files = await listAudio(noise.directory, "data.noise.directory");
    options.noise = { files, probability: noise.probability, snrDb: noise.snr_db };
  }
  if (reverberation.directory !== undefined) {
    const files = await listAudio(reverberation.directory, "data.reverberation.directory");
    options.reverberation = { files, probability: reverberation.probability };
  }
  if (volume.db.some((change) => change !== 0)) options.volume = { db: volume.db, probability: 1 };
  if (Object.keys(options).length === 0) return undefined;
  new Augmentation(options); // refuses what is out of range now and not in a thread
  return options;
}

/** Audio files below a directory, sorted, so that the seed decides which is drawn. */
async function listAudio(directory: string, key: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true }).catch((error: unknown) => {
    throw unreadable(directory, "a directory of recordings", error);
  });
  const files = names.filter((name) => AUDIO.has(extname(name).toLowerCase())).sort();
  if (files.length > 0) return files.map((name) => join(directory, name));
  throw new UserError(`${key} must hold audio files, but ${directory} holds none.`);
}
