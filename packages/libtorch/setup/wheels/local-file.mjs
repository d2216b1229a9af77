// A wheel that lies in a folder here: read in place as one that was fetched, and neither copied nor deleted.
import { createHash } from "node:crypto";
import { closeSync, createReadStream, fstatSync, openSync, readSync } from "node:fs";
import { DamagedArchive } from "./zip.mjs";

/** What a `PartialFile` does, of a file all of which is present. */
export class LocalFile {
  /**
   * @param {string} path
   * @param {string | undefined} sha256 that it should have
   */
  constructor(path, sha256) {
    this.path = path;
    this.sha256 = sha256;
    this.fd = openSync(path, "r");
    this.size = fstatSync(this.fd).size;
    this.presentBytes = this.size;
  }

  async fetch() {}

  /**
   * @param {number} start
   * @param {number} end exclusive
   */
  read(start, end) {
    const bytes = Buffer.alloc(end - start);
    return bytes.subarray(0, readSync(this.fd, bytes, 0, bytes.length, start));
  }

  /** @throws {DamagedArchive} */
  async checkHash() {
    if (this.sha256 === undefined) return;
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(this.path)) hash.update(chunk);
    const digest = hash.digest("hex");
    if (digest !== this.sha256) {
      throw new DamagedArchive(`${this.path} must have the SHA-256 ${this.sha256}, but has ${digest}.`);
    }
  }

  close() {
    closeSync(this.fd);
  }

  discard() {
    this.close();
  }
}
