import { fstatSync, readSync } from "node:fs";
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from "yauzl";
import { quote } from "./safetensors-json.js";
import { TensorFileError } from "./tensor-source.js";

/**
 * Small reads that answer before they return, so that whatever a damaged archive makes the parser throw reaches
 * the caller: thrown in a callback of its own it would end the process.
 */
class SynchronousReader extends RandomAccessReader {
  readonly #fd: number;

  constructor(fd: number) {
    super();
    this.#fd = fd;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    let filled = 0;
    while (filled < length) {
      const read = readSync(this.#fd, buffer, offset + filled, length - filled, position + filled);
      if (read === 0) throw new Error(`it ends before byte ${position + length}`);
      filled += read;
    }
    callback(null);
  }
}

/** The members of a zip archive whose bytes lie in it as they are. */
export class ZipDirectory {
  readonly #path: string;
  readonly #archive: ZipFile;
  readonly #members: ReadonlyMap<string, Entry>;

  private constructor(path: string, archive: ZipFile, members: ReadonlyMap<string, Entry>) {
    this.#path = path;
    this.#archive = archive;
    this.#members = members;
  }

  /**
   * @param fd of an open file, which stays open
   * @throws {TensorFileError} when the archive is damaged
   */
  static async read(path: string, fd: number): Promise<ZipDirectory> {
    return mendErrors(path, async () => {
      const options = { autoClose: false };
      const archive = await fromRandomAccessReaderPromise(
        new SynchronousReader(fd),
        fstatSync(fd).size,
        options,
      );
      const members = new Map<string, Entry>();
      for await (const entry of archive.eachEntry()) {
        if (members.has(entry.fileName)) throw new Error(`it has ${quote(entry.fileName)} twice`);
        members.set(entry.fileName, entry);
      }
      return new ZipDirectory(path, archive, members);
    });
  }

  get names(): Iterable<string> {
    return this.#members.keys();
  }

  /**
   * Where a member's bytes lie in the file; undefined when there is no such member.
   * @throws {TensorFileError} when it is compressed, encrypted, or not wholly in the file
   */
  async locate(name: string): Promise<{ position: number; size: number } | undefined> {
    const entry = this.#members.get(name);
    if (!entry) return undefined;
    if (entry.compressionMethod !== 0 || entry.isEncrypted()) {
      throw new TensorFileError(
        `${quote(name)} in ${this.#path} must be stored as it is, but is compressed or encrypted. ` +
          "torch.save does neither: unpack the archive and pack it again with `zip -0`.",
      );
    }
    const { fileDataStart } = await mendErrors(this.#path, () =>
      this.#archive.readLocalFileHeaderPromise(entry, { minimal: true }),
    );
    return { position: fileDataStart, size: entry.uncompressedSize };
  }
}

async function mendErrors<T>(path: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (cause) {
    const reason = (cause as Error).message.replace(/\.+$/, "");
    throw new TensorFileError(
      `${path} must be a whole zip archive, but is not: ${reason}. The file is damaged or truncated.`,
      { cause },
    );
  }
}
