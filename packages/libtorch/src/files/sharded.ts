import { dirname, isAbsolute, join } from "node:path";
import type { RandomAccessFile } from "./random-access-file.js";
import { type Json, JsonSyntaxError, parseJson, quote } from "./safetensors-json.js";
import {
  type FileRange,
  requireEntry,
  type TensorEntry,
  TensorFileError,
  type TensorSource,
} from "./tensor-source.js";

const MAX_INDEX_BYTES = 100_000_000;

/**
 * A checkpoint in several files and the index that names them, as Hugging Face's `save_pretrained` writes it:
 * `{"metadata": {...}, "weight_map": {"<tensor>": "<file beside the index>"}}`.
 */
export class ShardedTensors implements TensorSource {
  readonly path: string;
  /** The shards' own; the first shard's word counts. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly #owners: ReadonlyMap<string, TensorSource>;
  readonly #shards: readonly TensorSource[];
  #closed = false;

  private constructor(
    path: string,
    owners: ReadonlyMap<string, TensorSource>,
    shards: readonly TensorSource[],
  ) {
    this.path = path;
    this.#owners = owners;
    this.#shards = shards;
    this.metadata = Object.freeze(
      Object.assign(Object.create(null), ...shards.map((shard) => shard.metadata).reverse()),
    );
    this.entries = new Map(shards.flatMap((shard) => [...shard.entries]));
  }

  /**
   * Opens the shards that an index names, and closes the index.
   * @throws {TensorFileError} when a shard is missing, and when index and shards do not name the same tensors
   */
  static async from(
    index: RandomAccessFile,
    openShard: (path: string) => Promise<TensorSource>,
  ): Promise<ShardedTensors> {
    const { path } = index;
    let files: Map<string, string>;
    try {
      files = parseIndex(await readIndex(index), path);
    } finally {
      await index.close();
    }
    const shards: TensorSource[] = [];
    try {
      const owners = new Map<string, TensorSource>();
      for (const file of new Set(files.values())) {
        const shard = await openShard(join(dirname(path), file)).catch((cause: Error) => {
          throw new TensorFileError(`${path} names the shard ${quote(file)}: ${cause.message}`, { cause });
        });
        shards.push(shard);
        for (const name of shard.entries.keys()) {
          if (files.get(name) !== file) {
            throw new TensorFileError(
              `${path} must place every tensor of its shard ${quote(file)} there, but places ${quote(name)} ` +
                `${files.has(name) ? `in ${quote(files.get(name)!)}` : "nowhere"}. Index and shards are not of one checkpoint.`,
            );
          }
          owners.set(name, shard);
        }
      }
      for (const [name, file] of files) {
        if (owners.has(name)) continue;
        throw new TensorFileError(
          `The shard ${quote(file)} of ${path} must hold tensor ${quote(name)}, but does not. ` +
            "Index and shards are not of one checkpoint.",
        );
      }
      return new ShardedTensors(path, owners, shards);
    } catch (error) {
      await Promise.all(shards.map((shard) => shard.close()));
      throw error;
    }
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  async read(name: string, into?: Uint8Array): Promise<Uint8Array> {
    return this.#owner(name).read(name, into);
  }

  locate(name: string): FileRange | undefined {
    return this.#owner(name).locate(name);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#shards.map((shard) => shard.close()));
  }

  #owner(name: string): TensorSource {
    requireEntry(this, name);
    return this.#owners.get(name)!;
  }
}

async function readIndex(file: RandomAccessFile): Promise<string> {
  if (file.size > MAX_INDEX_BYTES) {
    throw new TensorFileError(
      `The index ${file.path} must have at most ${MAX_INDEX_BYTES} bytes, but has ${file.size}.`,
    );
  }
  const bytes = new Uint8Array(file.size);
  const filled = await file.read(bytes, 0);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, filled));
  } catch (cause) {
    throw new TensorFileError(`The index ${file.path} must be UTF-8, but has bytes that are not.`, { cause });
  }
}

/** Every tensor's file, relative to the index. */
function parseIndex(text: string, path: string): Map<string, string> {
  let root: Json;
  try {
    root = parseJson(text);
  } catch (cause) {
    if (!(cause instanceof JsonSyntaxError)) throw cause;
    throw new TensorFileError(`The index ${path} ${cause.message}.`, { cause });
  }
  const weightMap = root instanceof Map ? root.get("weight_map") : undefined;
  if (!(weightMap instanceof Map)) {
    throw new TensorFileError(`The index ${path} must have an object "weight_map", but has none.`);
  }
  const files = new Map<string, string>();
  for (const [name, file] of weightMap) {
    if (typeof file !== "string" || !staysBeside(file)) {
      throw new TensorFileError(
        `The file of tensor ${quote(name)} in ${path} must be named by a path below the index's directory, ` +
          `but is ${typeof file === "string" ? quote(file) : "no text"}.`,
      );
    }
    files.set(name, file);
  }
  return files;
}

function staysBeside(file: string): boolean {
  const parts = file.split(/[/\\]/);
  return (
    !isAbsolute(file) &&
    !file.includes("\0") &&
    !/^[a-z]:/i.test(file) &&
    !parts.includes("..") &&
    parts.at(-1) !== ""
  );
}
