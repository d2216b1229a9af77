import { gather, isContiguous, readStateDict, type StoredTensor, spanOf } from "./pytorch-state.js";
import type { RandomAccessFile } from "./random-access-file.js";
import { quote } from "./safetensors-json.js";
import {
  type FileRange,
  memoryFor,
  requireEntry,
  requireWhole,
  TensorFileError,
  type TensorSource,
} from "./tensor-source.js";
import { ZipDirectory } from "./zip-directory.js";

/** A checkpoint of a million tensors has a pickle of about this size. */
const MAX_PICKLE_BYTES = 256 * 2 ** 20;

interface PlacedTensor extends StoredTensor {
  /** Of its storage's first byte, in the file. */
  readonly storagePosition: number;
}

/**
 * A file of `torch.save(state_dict)` since PyTorch 1.6: a zip archive of `<name>/data.pkl`, which describes the
 * tensors, and `<name>/data/<key>`, a storage each. The pickle is read without running any of it.
 * https://github.com/pytorch/pytorch/blob/main/torch/serialization.py
 */
export class PytorchFile implements TensorSource {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>> = Object.freeze({});
  readonly entries: ReadonlyMap<string, PlacedTensor>;
  readonly #file: RandomAccessFile;

  private constructor(file: RandomAccessFile, entries: ReadonlyMap<string, PlacedTensor>) {
    this.path = file.path;
    this.entries = entries;
    this.#file = file;
  }

  /**
   * Reads the description of the tensors only. The file is closed with the source, or at once where this throws.
   * @throws {TensorFileError} naming the file and what in it is not a plain state dict
   */
  static async from(file: RandomAccessFile): Promise<PytorchFile> {
    try {
      const archive = await ZipDirectory.read(file.path, file.fd);
      const folder = folderOf(archive, file.path);
      await requireLittleEndian(file, archive, folder);
      const pickle = await member(file, archive, `${folder}/data.pkl`, MAX_PICKLE_BYTES);
      const tensors = readStateDict(pickle, file.path);
      return new PytorchFile(file, await place(tensors, archive, folder, file.path));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get isClosed(): boolean {
    return this.#file.isClosed;
  }

  async read(name: string, into?: Uint8Array): Promise<Uint8Array> {
    const tensor = requireEntry(this, name);
    const bytes = memoryFor(this.path, name, tensor, into);
    const [start, length] = spanOf(tensor);
    const contiguous = isContiguous(tensor);
    const span = contiguous ? bytes : new Uint8Array(length);
    requireWhole(this.path, name, length, await this.#file.read(span, tensor.storagePosition + start));
    if (!contiguous) gather(tensor, span, bytes);
    return bytes;
  }

  locate(name: string): FileRange | undefined {
    const tensor = requireEntry(this, name);
    if (!isContiguous(tensor)) return undefined;
    const [start] = spanOf(tensor);
    return { path: this.path, fd: this.#file.fd, position: tensor.storagePosition + start };
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function folderOf(archive: ZipDirectory, path: string): string {
  const names = [...archive.names];
  const found = names.filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (found.length !== 1) {
    throw new TensorFileError(
      `${path} must be a zip archive of torch.save with one data.pkl, but has ${found.length || "none"}.`,
    );
  }
  const folder = found[0]!.slice(0, -"/data.pkl".length);
  if (names.includes(`${folder}/constants.pkl`)) {
    throw new TensorFileError(
      `${path} must hold only tensors, but is a TorchScript program. Save the model's state dict instead.`,
    );
  }
  return folder;
}

/** Absent before PyTorch 2.1, which wrote in the machine's own order: little endian but for rare machines. */
async function requireLittleEndian(
  file: RandomAccessFile,
  archive: ZipDirectory,
  folder: string,
): Promise<void> {
  const name = `${folder}/byteorder`;
  if ((await archive.locate(name)) === undefined) return;
  const order = new TextDecoder().decode(await member(file, archive, name, 16));
  if (order === "little") return;
  throw new TensorFileError(
    `The byte order of ${file.path} must be little, but is ${quote(order)}. Load it in PyTorch and save it again.`,
  );
}

async function member(
  file: RandomAccessFile,
  archive: ZipDirectory,
  name: string,
  most: number,
): Promise<Uint8Array> {
  const found = await archive.locate(name);
  if (!found) throw new TensorFileError(`${file.path} must have a member ${quote(name)}, but has none.`);
  if (found.size > most) {
    throw new TensorFileError(
      `${quote(name)} in ${file.path} must have at most ${most} bytes, but has ${found.size}.`,
    );
  }
  const bytes = new Uint8Array(found.size);
  requireWhole(file.path, name, found.size, await file.read(bytes, found.position));
  return bytes;
}

/** Finds every tensor's storage in the archive; the tensors come out in the order of their bytes. */
async function place(
  tensors: ReadonlyMap<string, StoredTensor>,
  archive: ZipDirectory,
  folder: string,
  path: string,
): Promise<Map<string, PlacedTensor>> {
  const storages = new Map<string, { position: number; size: number } | undefined>();
  const placed: [string, PlacedTensor][] = [];
  for (const [name, tensor] of tensors) {
    if (!storages.has(tensor.key)) {
      storages.set(tensor.key, await archive.locate(`${folder}/data/${tensor.key}`));
    }
    const storage = storages.get(tensor.key);
    if (storage?.size !== tensor.storageBytes) {
      throw new TensorFileError(
        `The storage ${quote(`data/${tensor.key}`)} of tensor ${quote(name)} in ${path} must have ` +
          `${tensor.storageBytes} bytes, but ${storage ? `has ${storage.size}` : "is missing"}.`,
      );
    }
    placed.push([name, { ...tensor, storagePosition: storage.position }]);
  }
  placed.sort(([, a], [, b]) => a.storagePosition - b.storagePosition || a.offset - b.offset);
  return new Map(placed);
}
