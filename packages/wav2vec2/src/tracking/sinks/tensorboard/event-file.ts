import { mkdirSync, readdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { PatientFile } from "../patient-file.js";
import { crc32c } from "./crc32c.js";
import { double, encode, type Field, integer, message, string } from "./protobuf.js";

/** What an event holds besides its time and step; the numbers are those of tensorboard's `event.proto`. */
export interface Event {
  /** Milliseconds since 1970. */
  time: number;
  step: number;
  what: Field;
}

const NAME = /^events\.out\.tfevents\.(\d+)\./;
const START = 1; // SessionLog.SessionStatus

/** Values of a step, each made by a function of `summary.ts`. */
export function summary(values: readonly (readonly Field[])[]): Field {
  return message(
    5,
    values.map((value) => message(1, value)),
  );
}

/**
 * A file that TensorBoard reads: records with their lengths and checksums, each an event. It is written as events come, so that
 * what a killed process leaves can be read; a record that is torn at the end is not read by anyone.
 */
export class EventFile {
  readonly #file: PatientFile;

  /**
   * @param step what earlier files of the directory say of this step and later ones is void
   * @param time milliseconds since 1970
   */
  constructor(directory: string, { step, time }: { step: number; time: number }) {
    mkdirSync(directory, { recursive: true });
    this.#file = new PatientFile(join(directory, newName(directory, time)));
    this.append({ time, step: 0, what: string(3, "brain.Event:2") });
    this.append({ time, step, what: message(7, [integer(1, START)]) });
  }

  append(event: Event): void {
    this.#file.append(recordOf(event));
  }

  /** @throws UserError where the disk does not take what is still held */
  close(): void {
    this.#file.close();
  }
}

/** The bytes of an event in a file. */
export function recordOf({ time, step, what }: Event): Uint8Array {
  const data = encode([double(1, time / 1000), integer(2, step), what]);
  const record = Buffer.alloc(8 + 4 + data.length + 4);
  record.writeBigUInt64LE(BigInt(data.length), 0);
  record.writeUInt32LE(masked(crc32c(record.subarray(0, 8))), 8);
  record.set(data, 12);
  record.writeUInt32LE(masked(crc32c(data)), 12 + data.length);
  return record;
}

/** https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/lib/hash/crc32c.h */
function masked(checksum: number): number {
  return (((checksum >>> 15) | (checksum << 17)) + 0xa282ead8) >>> 0;
}

/** Files are read in the order of their names: it comes behind all that are there, whatever the clock says. */
function newName(directory: string, time: number): string {
  const others = readdirSync(directory).flatMap((name) => Number(NAME.exec(name)?.[1] ?? []));
  const seconds = Math.max(Math.floor(time / 1000), ...others.map((other) => other + 1));
  return `events.out.tfevents.${String(seconds).padStart(10, "0")}.${hostname()}.${process.pid}.0`;
}
