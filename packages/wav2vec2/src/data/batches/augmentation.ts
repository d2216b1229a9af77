import { FINITE, isObject, TEXTS } from "../../argument-kinds.js";
import { SAMPLE_RATE } from "../../audio/audio-file.js";
import { addNoise } from "../../audio/augmentation/noise.js";
import { power } from "../../audio/augmentation/power.js";
import { reverberate } from "../../audio/augmentation/reverberation.js";
import { changeSpeed } from "../../audio/augmentation/speed.js";
import { changeVolume } from "../../audio/augmentation/volume.js";
import { describeValue } from "../../describe-type.js";
import { ConfigurationError, UserError } from "../../errors.js";
import { type KnownOptions, requireOptions } from "../../known-options.js";
import type { Random } from "../random.js";
import { AudioCache } from "./audio-cache.js";

/** What is done to clips in training; what is left out is off. Plain values, so that threads can be told. */
export interface AugmentationOptions {
  /** The largest share by which clips are played faster or slower; each share up to it is as likely. */
  speedPerturbation?: number | undefined;
  /** Recordings, of which one is added from a drawn place on, at a signal-to-noise ratio drawn evenly in decibels. */
  noise?: (FileChoice & { snrDb: Range }) | undefined;
  /** Impulse responses of rooms. */
  reverberation?: FileChoice | undefined;
  /** Decibels, drawn evenly. */
  volume?: { db: Range; probability: number } | undefined;
}

export interface FileChoice {
  /** One of them is drawn, each as likely. */
  files: readonly string[];
  /** Share of the clips that get it. */
  probability: number;
}

/** The lowest and the highest. */
export type Range = readonly [number, number];

const LONGEST_RESPONSE = 20; // seconds; what is longer is no impulse response

// Noises and impulse responses that a thread has read.
const kept = new AudioCache();

const isRange = (value: unknown) =>
  Array.isArray(value) && value.length === 2 && value.every((each) => typeof each === "number");

const hasFiles = (value: unknown) =>
  isObject(value) && TEXTS.holds(value.files) && FINITE.holds(value.probability);

const OPTIONS = {
  speedPerturbation: FINITE,
  noise: {
    must: "{ files, probability, snrDb: [lowest, highest] }",
    holds: (value) => hasFiles(value) && isObject(value) && isRange(value.snrDb),
  },
  reverberation: { must: "{ files, probability }", holds: hasFiles },
  volume: {
    must: "{ db: [lowest, highest], probability }",
    holds: (value) => isObject(value) && isRange(value.db) && FINITE.holds(value.probability),
  },
} satisfies KnownOptions<AugmentationOptions>;

/** Changes clips at random, so that a network is trained on more voices, rooms and noises than were recorded. */
export class Augmentation {
  readonly #options: AugmentationOptions;

  /** @throws ConfigurationError where an option is out of range, or there is no file to choose from */
  constructor(options: AugmentationOptions) {
    requireOptions("new Augmentation", options, OPTIONS);
    requireRanges(options);
    this.#options = options;
  }

  /**
   * Speed, room, noise, volume, in this order: a room does not ring to noise that was recorded in another one.
   *
   * @param samples [n] at 16 kHz, not yet normalised; not written to
   * @param random of this clip in this epoch alone; then the result depends on no thread and no other clip
   * @param read gives a file's samples at 16 kHz. Default: decodes it, and keeps 128 MB of them for the thread
   * @returns as long as `samples` where the speed is not changed; `samples` itself where nothing was done
   * @throws UserError naming the file of a noise or impulse response that cannot be used
   */
  async apply(
    samples: Float32Array,
    random: Random,
    read: (path: string) => Promise<Float32Array> = kept.read,
  ): Promise<Float32Array> {
    const { speedPerturbation = 0, reverberation, noise, volume } = this.#options;
    let clip = samples;
    if (speedPerturbation > 0)
      clip = changeSpeed(clip, draw([1 - speedPerturbation, 1 + speedPerturbation], random));
    if (reverberation && random.uniform() < reverberation.probability) {
      clip = reverberate(clip, await readResponse(drawFile(reverberation, random), read));
    }
    if (noise && random.uniform() < noise.probability) {
      const recording = await read(drawFile(noise, random));
      const offset = random.integer(Math.max(1, recording.length));
      clip = addNoise(clip, recording, draw(noise.snrDb, random), offset);
    }
    if (volume && random.uniform() < volume.probability) clip = changeVolume(clip, draw(volume.db, random));
    return clip;
  }
}

/** Any number from the lowest to the highest, each as likely. */
function draw([lowest, highest]: Range, random: Random): number {
  return lowest + (highest - lowest) * random.uniform();
}

function drawFile({ files }: FileChoice, random: Random): string {
  return files[random.integer(files.length)]!;
}

async function readResponse(
  file: string,
  read: (path: string) => Promise<Float32Array>,
): Promise<Float32Array> {
  const response = await read(file);
  if (response.length > LONGEST_RESPONSE * SAMPLE_RATE) {
    throw new UserError(
      `${file} must be an impulse response of at most ${LONGEST_RESPONSE} s, but has ` +
        `${Math.round(response.length / SAMPLE_RATE)} s. Take it out of the impulse responses.`,
    );
  }
  if (power(response) > 0) return response;
  throw new UserError(
    `${file} must be an impulse response, but is silent. Take it out of the impulse responses.`,
  );
}

function requireRanges({ speedPerturbation = 0, noise, reverberation, volume }: AugmentationOptions): void {
  if (!(speedPerturbation >= 0 && speedPerturbation < 1))
    throw new ConfigurationError(
      `Speed perturbation must be from 0 to below 1, but is ${describeValue(speedPerturbation)}.`,
    );
  for (const [name, choice] of Object.entries({ noise, reverberation })) {
    if (choice?.files.length === 0)
      throw new ConfigurationError(`The files for ${name} must be at least one, but there are none.`);
  }
  for (const [name, part] of Object.entries({ noise, reverberation, volume })) {
    if (part && !(part.probability >= 0 && part.probability <= 1))
      throw new ConfigurationError(
        `The probability of ${name} must be from 0 to 1, but is ${describeValue(part.probability)}.`,
      );
  }
  const ranges = { "signal-to-noise ratios": noise?.snrDb, "changes of volume": volume?.db };
  for (const [name, range] of Object.entries(ranges)) {
    if (range && !(range.every(Number.isFinite) && range[0] <= range[1]))
      throw new ConfigurationError(
        `The ${name} must go from the lowest to the highest, but are ${range.join(" to ")}.`,
      );
  }
}
