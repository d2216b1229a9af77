import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, open, realpath, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  type Device,
  type Dtype,
  noGrad,
  scope,
  type Tensor,
  tensorFromBytes,
  zeros,
} from "@wav2vec2/libtorch";
import { mapConcurrent } from "../../data/map-concurrent.js";
import type { Utterance } from "../../data/utterance.js";
import { ConfigurationError, UserError } from "../../errors.js";
import { reasonOf, writeFileAtomic } from "../../files/atomic/atomic-file.js";
import { freeBytes } from "../../files/free-bytes.js";
import { makeDirectory } from "../../files/make-directory.js";
import { featureFrames, type Wav2Vec2Config } from "../../model/configuration.js";
import { minimumSamples } from "../../model/lengths.js";
import type { CtcModel } from "../../pretrained/ctc-directory.js";
import { precisionOf, withPrecision } from "../loop/precision.js";
import type { Recipe } from "../recipe/recipe.js";

/** Raised where files of before mean something else. */
const FORMAT = 2;
const OPEN_FILES = 16;
/** Behind a file's features: the beginning of their SHA-256. */
const CHECKSUM_BYTES = 16;
const BYTES: Partial<Record<Dtype, number>> = { float32: 4, bfloat16: 2, float16: 2 };

/** Where a clip's features lie and what they are. */
interface Entry {
  path: string;
  /** Samples that the convolutions read, with those that a short clip is lengthened by. */
  samples: number;
  frames: number;
  bytes: number;
}

export interface CacheSize {
  clips: number;
  /** Clips whose features are there. */
  filled: number;
  bytes: number;
  /** Of the clips that are not. */
  missingBytes: number;
  /** On the disk of the directory; undefined where it cannot be told. */
  freeBytes: number | undefined;
}

/**
 * What a frozen feature encoder makes of each clip, a file a clip: numbers of [frames, channels] in row-major order and
 * their checksum.
 * A file's name is a hash of all that decides its contents: the convolutions' weights and configuration, the number
 * format, and the clip's path, size and modification time. Files of other weights or of clips that have changed are
 * therefore never read, and those of several processes do not disturb each other: they write the same.
 */
export class FeatureCache {
  readonly channels: number;
  readonly #channelsFirst: boolean;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #present: Set<string>;
  readonly #writing = new Set<Promise<void>>();
  #failure: unknown;

  private constructor(
    readonly directory: string,
    entries: ReadonlyMap<string, Entry>,
    present: Set<string>,
    { convDim, featExtractNorm }: Wav2Vec2Config,
    readonly dtype: Dtype,
  ) {
    this.channels = convDim.at(-1)!;
    this.#channelsFirst = featExtractNorm === "group";
    this.#entries = entries;
    this.#present = present;
  }

  /**
   * Finds out which clips' features are there.
   *
   * @throws ConfigurationError where a clip's features depend on the batch that it is in
   * @throws UserError where the directory cannot be written, or a clip is not there
   */
  static async open(
    directory: string,
    ctc: CtcModel,
    utterances: readonly Utterance[],
    recipe: Recipe,
  ): Promise<FeatureCache> {
    const { config } = ctc.model;
    requireOwnFeatures(config);
    const dtype = dtypeOf(ctc, recipe);
    const home = join(directory, encoderKey(ctc, recipe));
    await makeDirectory(home).catch((error: unknown) => {
      throw new UserError(
        `data.feature_cache must be a directory that can be written, but ${directory} is not: ${reasonOf(error)}.`,
        { cause: error },
      );
    });
    const channels = config.convDim.at(-1)!;
    const entries = new Map<string, Entry>();
    const present = new Set<string>();
    await mapConcurrent(utterances, OPEN_FILES, async (utterance) => {
      const samples = Math.max(utterance.samples, minimumSamples(config));
      const frames = featureFrames(config, samples);
      const bytes = frames * channels * BYTES[dtype]!;
      const key = await clipKey(utterance);
      const path = join(home, key.slice(0, 2), `${key.slice(2)}.${dtype}`);
      entries.set(utterance.id, { path, samples, frames, bytes });
    });
    const cache = new FeatureCache(directory, entries, present, config, dtype);
    await cache.refresh();
    return cache;
  }

  /** Finds those that other processes have written meanwhile. */
  async refresh(): Promise<void> {
    const missing = [...this.#entries].filter(([id]) => !this.#present.has(id));
    await mapConcurrent(missing, OPEN_FILES, async ([id, { path, bytes }]) => {
      const there = await stat(path).catch(() => undefined);
      if (there?.size === bytes + CHECKSUM_BYTES) this.#present.add(id);
    });
  }

  /** How large it is and will be. */
  async size(): Promise<CacheSize> {
    const size = { clips: this.#entries.size, filled: this.#present.size, bytes: 0, missingBytes: 0 };
    for (const [id, { bytes }] of this.#entries) {
      size.bytes += bytes;
      if (!this.#present.has(id)) size.missingBytes += bytes;
    }
    return { ...size, freeBytes: await freeBytes(this.directory) };
  }

  has(id: string): boolean {
    return this.#present.has(id);
  }

  /** Samples of a clip, as a batch of audio has them. */
  samplesOf(id: string): number {
    return this.#entry(id).samples;
  }

  /**
   * Writes features behind the caller's back; {@link settled} waits for it.
   *
   * @param features [frames or more, channels]
   */
  put(id: string, features: Tensor): void {
    const { path, frames } = this.#entry(id);
    const bytes = features.narrow(0, 0, frames).contiguous().toBytes();
    const written = (async () => {
      await makeDirectory(dirname(path));
      const own = `${path}.${randomUUID()}`; // other processes may write the same file
      await writeFileAtomic(own, Buffer.concat([bytes, checksum(bytes)]));
      await rename(own, path);
      this.#present.add(id);
    })().catch((error: unknown) => {
      this.#failure ??= error;
    });
    this.#writing.add(written);
    void written.then(() => this.#writing.delete(written));
  }

  /** @throws UserError where features could not be written */
  async settled(): Promise<void> {
    await Promise.all(this.#writing);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The features of a batch's clips, zeros behind each one's own, as {@link tensorOf} takes them. */
  async read(ids: readonly string[]): Promise<CachedFeatures> {
    const entries = ids.map((id) => this.#entry(id));
    const time = Math.max(...entries.map(({ frames }) => frames));
    const row = time * this.channels * BYTES[this.dtype]!;
    const bytes = new Uint8Array(ids.length * row);
    await mapConcurrent([...entries.entries()], OPEN_FILES, async ([index, { path, bytes: length }]) => {
      await readFeatures(path, bytes.subarray(index * row, index * row + length));
    });
    const shape: CachedFeatures["shape"] = [ids.length, time, this.channels];
    return { bytes, shape, dtype: this.dtype, channelsFirst: this.#channelsFirst };
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry) return entry;
    throw new Error(`${id} must be a clip that the cache was opened with, but is not.`);
  }
}

/** A batch's features as they lie on disk, with padding. */
export interface CachedFeatures {
  bytes: Uint8Array;
  /** [batch, frames, channels] */
  shape: [number, number, number];
  dtype: Dtype;
  /** Whether the convolutions leave channels before frames in memory. */
  channelsFirst: boolean;
}

/** [batch, frames, channels], in memory as the convolutions leave it: gradients add up in the order of memory. */
export function tensorOf({ bytes, shape, dtype, channelsFirst }: CachedFeatures, device: Device): Tensor {
  const features = tensorFromBytes(bytes, shape, dtype, device);
  return channelsFirst ? features.transpose(1, 2).contiguous().transpose(1, 2) : features;
}

async function readFeatures(path: string, features: Uint8Array): Promise<void> {
  await using file = await open(path, "r").catch((error: unknown) => {
    throw new UserError(
      `${path} must be features that can be read, but ${reasonOf(error)}. Start again with --resume to have them made anew.`,
      { cause: error },
    );
  });
  const sum = new Uint8Array(CHECKSUM_BYTES);
  const complete = (await fill(file, features, 0)) && (await fill(file, sum, features.length));
  if (complete && checksum(features).equals(sum)) return;
  throw new UserError(
    `${path} must hold ${features.length} bytes of features and their checksum, but is damaged. Remove it to have it made anew.`,
  );
}

async function fill(file: FileHandle, bytes: Uint8Array, from: number): Promise<boolean> {
  for (let filled = 0; filled < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, from + filled);
    if (bytesRead === 0) return false;
    filled += bytesRead;
  }
  return true;
}

function checksum(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest().subarray(0, CHECKSUM_BYTES);
}

function requireOwnFeatures({ referencePadding, featExtractNorm }: Wav2Vec2Config): void {
  if (!referencePadding || featExtractNorm !== "group") return;
  throw new ConfigurationError(
    "data.feature_cache needs features that do not depend on the batch, but model.reference_padding lets padding into " +
      "them. Remove one of them.",
  );
}

/** In which numbers the convolutions answer under the recipe's precision. */
function dtypeOf({ model }: CtcModel, recipe: Recipe): Dtype {
  return noGrad(() =>
    scope(() => {
      const { device } = model;
      const input = zeros([1, minimumSamples(model.config)], { device });
      return withPrecision(recipe, device, () => model.wav2vec2.encode({ input }).dtype);
    }),
  );
}

function encoderKey({ model, normalize }: CtcModel, recipe: Recipe): string {
  const precision = precisionOf(recipe);
  const { convDim, convKernel, convStride, convBias, featExtractNorm, featExtractActivation } = model.config;
  const shape = { convDim, convKernel, convStride, convBias, featExtractNorm, featExtractActivation };
  const hash = createHash("sha256").update(JSON.stringify({ FORMAT, ...shape, normalize, precision }));
  for (const [name, tensor] of model.wav2vec2.featureExtractor.namedParameters())
    hash.update(name).update(tensor.toBytes());
  return hash.digest("hex").slice(0, 16);
}

async function clipKey({ path, samples, start, end }: Utterance): Promise<string> {
  try {
    const { size, mtimeMs } = await stat(path);
    const clip = JSON.stringify([await realpath(path), size, mtimeMs, samples, start, end]);
    return createHash("sha256").update(clip).digest("hex").slice(0, 40);
  } catch (error) {
    throw new UserError(`${path} must be an audio file that can be read, but ${reasonOf(error)}.`, {
      cause: error,
    });
  }
}
