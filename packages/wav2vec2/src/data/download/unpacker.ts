import { EventEmitter } from "node:events";
import { open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip, type Gunzip } from "node:zlib";
import type { ReadEntry } from "tar";
import { makeDirectory } from "../../files/make-directory.js";
import { WrongArchiveError } from "./wrong-archive.js";

/** The directory that everything in an archive of LibriSpeech lies in. */
const ROOT = "LibriSpeech";

/**
 * Unpacks a gzipped tar whose bytes are given piece by piece, while they are downloaded. Inflating runs beside the
 * main thread. Only files and directories below `LibriSpeech/` are written; an archive with anything else is refused,
 * because it is unpacked before its checksum is known.
 */
export class Unpacker {
  // zlib's own 16 KiB at once would make a dozen writes of a clip and unpacking 1.7 times as long.
  readonly #gunzip: Gunzip = createGunzip({ chunkSize: 1 << 18 });
  readonly #done: Promise<void>;
  #error: unknown;
  #stopped = false;

  /** @param directory is made by the first file; `LibriSpeech` comes to lie in it */
  constructor(private readonly directory: string) {
    this.#done = pipeline(this.#gunzip, (source: AsyncIterable<Buffer>) => this.#parse(source)).catch(
      (error: unknown) => {
        this.#error = fault(error);
        throw this.#error;
      },
    );
    this.#done.catch(() => {}); // write and end tell it
  }

  /**
   * Resolves when more can be taken.
   * @throws WrongArchiveError
   * @throws an error of the system, such as ENOSPC, where files cannot be written
   */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    if (this.#gunzip.write(chunk)) return;
    if (!this.#gunzip.destroyed) await firstOf([this.#gunzip, "drain"], [this.#gunzip, "close"]);
    if (this.#gunzip.destroyed) await this.#done;
  }

  /** Resolves when all files are written. Throws as `write` does. */
  async end(): Promise<void> {
    this.#gunzip.end();
    await this.#done;
  }

  /** Ends the work and takes the directory away. */
  async discard(): Promise<void> {
    this.#gunzip.destroy();
    await this.#done.catch(() => {});
    await rm(this.directory, { recursive: true, force: true });
  }

  async #parse(source: AsyncIterable<Buffer>): Promise<void> {
    const { Parser } = await import("tar");
    const parser = new Parser({ strict: true });
    let stored = Promise.resolve();
    let current: ReadEntry | undefined;
    let failure: { error: unknown } | undefined;
    const trouble = new EventEmitter();
    const reject = (error: unknown) => {
      failure ??= { error };
      trouble.emit("failed");
    };
    const until = async (event: "drain" | "end") => {
      if (!failure) await firstOf([parser, event], [trouble, "failed"]);
      if (failure) throw failure.error;
    };
    parser.on("error", reject);
    // tar holds an entry's bytes back until they are read, and the next entry until the one before it is read.
    parser.on("entry", (entry: ReadEntry) => {
      current = entry;
      stored = stored.then(() => this.#store(entry));
      stored.catch(reject);
    });
    let ended = false;
    parser.once("end", () => {
      ended = true;
    });
    try {
      for await (const chunk of source) {
        if (parser.write(chunk)) continue;
        await until("drain");
      }
      parser.end();
      if (failure) throw (failure as { error: unknown }).error;
      if (!ended) await until("end");
      await stored;
    } finally {
      // Nothing is written any more when this is over, also where bytes are missing that an entry waits for.
      this.#stopped = true;
      current?.destroy();
      await stored.catch(() => {});
    }
  }

  async #store(entry: ReadEntry): Promise<void> {
    this.#requireGoing();
    const path = join(this.directory, checkedPath(entry));
    if (entry.type === "Directory") {
      await makeDirectory(path);
      entry.resume();
      return;
    }
    await makeDirectory(dirname(path));
    const file = await open(path, "w");
    try {
      this.#requireGoing();
      for await (const chunk of entry) {
        await file.appendFile(chunk);
        this.#requireGoing();
      }
    } finally {
      await file.close();
    }
  }

  /** An entry that is destroyed tells only those who wait for it at that moment, never those who ask later. */
  #requireGoing(): void {
    if (this.#stopped) throw new Error("unpacking was stopped");
  }
}

const kept: ReadonlySet<string> = new Set(["File", "OldFile", "ContiguousFile", "Directory"]);

/** @throws WrongArchiveError for links, devices and paths that lead out of `LibriSpeech/` */
function checkedPath({ path, type }: ReadEntry): string {
  const parts = path.split("/").filter((part) => part !== "." && part !== "");
  if (!kept.has(type)) throw new WrongArchiveError(`holds ${path}, which is no file but a ${type}`);
  if (path.startsWith("/") || parts[0] !== ROOT || parts.includes("..") || path.includes("\\")) {
    throw new WrongArchiveError(`holds ${path}, which lies outside ${ROOT}/`);
  }
  return join(...parts);
}

/** zlib's and tar's complaints mean that the bytes are wrong; those of the system stay what they are. */
function fault(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof WrongArchiveError) return error;
  if ("syscall" in error) return error;
  const code = "code" in error ? String(error.code) : "";
  if (!/^(Z_|TAR_)/.test(code)) return error;
  return new WrongArchiveError(`is no intact .tar.gz (${error.message})`, { cause: error });
}

/** Resolves at the first of some events. Its listeners go again; a race of promises would keep one for each wait. */
function firstOf(...events: readonly (readonly [NodeJS.EventEmitter, string])[]): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const [emitter, name] of events) emitter.off(name, done);
      resolve();
    };
    for (const [emitter, name] of events) emitter.once(name, done);
  });
}
