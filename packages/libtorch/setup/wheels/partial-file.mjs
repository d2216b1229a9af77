// A file on a server of which only parts are wanted: the parts are kept at their true places in a sparse local
// file, with a journal of the blocks that are complete, so that a run that was cut off goes on where it stopped.
import { createHash } from "node:crypto";
import {
  appendFileSync,
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { HttpError, printable, withRetries } from "./http.mjs";
import { DamagedArchive } from "./zip.mjs";

/** Small enough that little is fetched twice or in vain, large enough that round trips do not count. */
const BLOCK = 1 << 20;
const CONNECTIONS = 4;

/** @typedef {(done: number, total: number) => void} OnProgress bytes of this fetch */

export class PartialFile {
  /** @type {Set<number>} */ #blocks = new Set();
  #journal;

  /**
   * @param {import("./http.mjs").HttpClient} client
   * @param {{ url: URL, sha256: string | undefined }} source
   * @param {string} path
   * @param {number} size
   */
  constructor(client, source, path, size) {
    this.client = client;
    this.source = source;
    this.path = path;
    this.size = size;
    this.#journal = `${path}.blocks`;
    const identity = JSON.stringify({ url: printable(source.url), size, block: BLOCK });
    const [previous, ...blocks] = existsSync(this.#journal)
      ? readFileSync(this.#journal, "utf8").split("\n")
      : [];
    if (previous === identity && existsSync(path)) {
      this.fd = openSync(path, "r+");
      // The last line counts only with its newline: a run may have been killed while writing it.
      for (const block of blocks.slice(0, -1)) this.#blocks.add(Number(block));
    } else {
      mkdirSync(dirname(path), { recursive: true });
      this.fd = openSync(path, "w+");
      writeFileSync(this.#journal, `${identity}\n`);
    }
  }

  /**
   * Asks the server for the file's size. A server without byte ranges sends the whole file right away.
   * @param {import("./http.mjs").HttpClient} client
   * @param {{ url: URL, sha256: string | undefined }} source
   * @param {string} path
   * @param {OnProgress} onProgress for the whole file, where ranges are not to be had
   * @returns {Promise<PartialFile>}
   */
  static open(client, source, path, onProgress) {
    const ask = async () => {
      const response = await client.open(source.url, { headers: { range: "bytes=0-0" } });
      if (response.status === 206) {
        response.body.destroy();
        const size = Number(/\/(\d+)$/.exec(response.headers["content-range"] ?? "")?.[1]);
        if (Number.isSafeInteger(size)) return new PartialFile(client, source, path, size);
        throw new HttpError(`${printable(source.url)} answers a range without the file's size.`, 206);
      }
      const size = Number(response.headers["content-length"]);
      if (response.status !== 200 || !Number.isSafeInteger(size)) {
        response.body.destroy();
        throw new HttpError(
          `${printable(source.url)} must answer with a file and its length, but answers with HTTP status ${response.status}.`,
          response.status,
        );
      }
      const file = new PartialFile(client, source, path, size);
      if (missingBlocks([[0, size]], file.#blocks).length === 0) {
        response.body.destroy();
        return file;
      }
      try {
        await file.#receiveWhole(response.body, onProgress);
        return file;
      } catch (error) {
        if (error instanceof DamagedArchive) file.discard();
        else file.close();
        throw error;
      }
    };
    return withRetries(ask, { attempts: 3 });
  }

  /**
   * Makes the given byte ranges present.
   * @param {[start: number, end: number][]} ranges end exclusive
   * @param {OnProgress} onProgress
   */
  async fetch(ranges, onProgress) {
    const wanted = missingBlocks(ranges, this.#blocks);
    const total = wanted.reduce((sum, block) => sum + this.#length(block), 0);
    let done = 0;
    /** @type {unknown} */
    let failure;
    const worker = async () => {
      for (let block = wanted.shift(); block !== undefined && failure === undefined; block = wanted.shift()) {
        const bytes = await withRetries(() => this.#receiveBlock(/** @type {number} */ (block)));
        writeAll(this.fd, bytes, block * BLOCK);
        appendFileSync(this.#journal, `${block}\n`);
        this.#blocks.add(block);
        done += bytes.length;
        onProgress(done, total);
      }
    };
    const workers = Array.from({ length: CONNECTIONS }, () =>
      worker().catch((error) => {
        failure ??= error;
      }),
    );
    // All have to end before the file may be closed, also when one has failed.
    await Promise.all(workers);
    if (failure !== undefined) throw failure;
  }

  /**
   * @param {number} start
   * @param {number} end exclusive; the range must be present
   */
  read(start, end) {
    const bytes = Buffer.alloc(end - start);
    const count = readSync(this.fd, bytes, 0, bytes.length, start);
    return bytes.subarray(0, count);
  }

  /** How much of the file is there, in bytes. */
  get presentBytes() {
    return [...this.#blocks].reduce((sum, block) => sum + this.#length(block), 0);
  }

  /**
   * Compares the SHA-256 of the file, all of which must be present, with the source's.
   * @throws {DamagedArchive}
   */
  async checkHash() {
    if (this.source.sha256 === undefined) return;
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(this.path, { highWaterMark: BLOCK })) hash.update(chunk);
    this.#compareHash(hash.digest("hex"));
  }

  /** @param {string} digest */
  #compareHash(digest) {
    const { url, sha256 } = this.source;
    if (sha256 === undefined || sha256 === digest) return;
    throw new DamagedArchive(`${printable(url)} must have the SHA-256 ${sha256}, but has ${digest}.`);
  }

  close() {
    closeSync(this.fd);
  }

  /** Closes the file and forgets everything that was fetched. */
  discard() {
    this.close();
    rmSync(this.path, { force: true });
    rmSync(this.#journal, { force: true });
  }

  /** @param {number} block */
  #length(block) {
    return Math.min(BLOCK, this.size - block * BLOCK);
  }

  /** @param {number} block */
  async #receiveBlock(block) {
    const start = block * BLOCK;
    const length = this.#length(block);
    const range = `bytes=${start}-${start + length - 1}`;
    const response = await this.client.open(this.source.url, { headers: { range } });
    const expected = `${range.replace("=", " ")}/${this.size}`;
    if (response.status !== 206 || response.headers["content-range"] !== expected) {
      response.body.destroy();
      const actual = response.headers["content-range"] ?? "none";
      throw new HttpError(
        `${printable(this.source.url)} must answer with range "${expected}", but answers with HTTP status ${response.status} and range "${actual}".`,
        response.status,
      );
    }
    const chunks = [];
    for await (const chunk of response.body) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    if (bytes.length !== length) {
      throw new HttpError(`${this.source.url.host} sent ${bytes.length} bytes of ${length}.`, 0);
    }
    return bytes;
  }

  /**
   * @param {AsyncIterable<Buffer>} body
   * @param {OnProgress} onProgress
   */
  async #receiveWhole(body, onProgress) {
    const hash = createHash("sha256");
    let done = 0;
    for await (const chunk of body) {
      hash.update(chunk);
      writeAll(this.fd, chunk, done);
      done += chunk.length;
      onProgress(done, this.size);
    }
    if (done !== this.size)
      throw new HttpError(`${this.source.url.host} sent ${done} bytes of ${this.size}.`, 0);
    this.#compareHash(hash.digest("hex"));
    const blocks = missingBlocks([[0, this.size]], this.#blocks);
    appendFileSync(this.#journal, blocks.map((block) => `${block}\n`).join(""));
    this.#blocks = new Set(blocks);
  }
}

/**
 * @param {[start: number, end: number][]} ranges end exclusive
 * @param {ReadonlySet<number>} present
 * @returns {number[]} the blocks that the ranges touch and that are not present, ascending
 */
export function missingBlocks(ranges, present) {
  /** @type {Set<number>} */
  const blocks = new Set();
  for (const [start, end] of ranges) {
    for (let block = Math.floor(start / BLOCK); block * BLOCK < end; block++) {
      if (!present.has(block)) blocks.add(block);
    }
  }
  return [...blocks].sort((a, b) => a - b);
}

/**
 * @param {number} fd
 * @param {Buffer} bytes
 * @param {number} position
 */
function writeAll(fd, bytes, position) {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(fd, bytes, written, bytes.length - written, position + written);
  }
}
