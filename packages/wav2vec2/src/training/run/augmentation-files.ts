import { Augmentation, type AugmentationOptions } from "../../data/batches/augmentation.js";
import { listAudio } from "../../data/corpus/layouts/audio-folder.js";
import { UserError } from "../../errors.js";
import type { Recipe } from "../recipe/recipe.js";

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
    const files = await findFiles(noise.directory, "data.noise.directory");
    options.noise = { files, probability: noise.probability, snrDb: noise.snr_db };
  }
  if (reverberation.directory !== undefined) {
    const files = await findFiles(reverberation.directory, "data.reverberation.directory");
    options.reverberation = { files, probability: reverberation.probability };
  }
  if (volume.db.some((change) => change !== 0)) options.volume = { db: volume.db, probability: 1 };
  if (Object.keys(options).length === 0) return undefined;
  new Augmentation(options); // refuses what is out of range now and not in a thread
  return options;
}

async function findFiles(directory: string, key: string): Promise<string[]> {
  const files = await listAudio(directory).catch((error: unknown) => {
    throw new UserError(`${key}: ${(error as Error).message}`, { cause: error });
  });
  if (files.length > 0) return files;
  throw new UserError(`${key} must hold audio files, but ${directory} holds none.`);
}
