import { closeSync, openSync, writeSync } from "node:fs";
import { UserError } from "../../errors.js";
import { isDiskFull, reasonOf } from "../../files/atomic/atomic-file.js";

/**
 * Appends to a file. What a full disk does not take is held in memory and written with what comes next, so that a
 * run need not end for want of a few bytes.
 */
export class PatientFile {
  #held = Buffer.alloc(0);
  /** Stays open between two lines: to open it takes longer than to write one. */
  #file: number | undefined;

  constructor(readonly path: string) {}

  append(data: string | Uint8Array): void {
    this.#held = Buffer.concat([this.#held, typeof data === "string" ? Buffer.from(data) : data]);
    try {
      this.#write();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
    }
  }

  /** @throws UserError where the disk does not take what is still held */
  close(): void {
    try {
      if (this.#held.length > 0) this.#write();
    } catch (error) {
      throw new UserError(`The last lines of ${this.path} must be written, but ${reasonOf(error)}.`, {
        cause: error,
      });
    } finally {
      if (this.#file !== undefined) closeSync(this.#file);
      this.#file = undefined;
    }
  }

  /** A part may be written before the disk is full. */
  #write(): void {
    this.#file ??= openSync(this.path, "a");
    while (this.#held.length > 0) this.#held = this.#held.subarray(writeSync(this.#file, this.#held));
  }
}
