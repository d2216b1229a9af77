import { readFileSync, truncateSync } from "node:fs";
import { crc32 } from "../../../files/crc32.js";
import { PatientFile } from "../patient-file.js";
import { decodeRecord, encodeRecord, type WandbRecord } from "./record.js";

// A log as LevelDB's (https://github.com/google/leveldb/blob/main/doc/log_format.md), but for a header and its checksums,
// which are plain CRC-32 of kind and data.

const HEADER = Buffer.from(":W&B\xe1\xbe\x00", "latin1");
const BLOCK = 32 * 1024;
/** Of a chunk: checksum, length, kind. */
const CHUNK_HEADER = 7;
const FULL = 1;
const FIRST = 2;
const MIDDLE = 3;
const LAST = 4;

/** Writes the records of a run to its `.wandb` file, from which `wandb sync` uploads it. */
export class TransactionLog {
  readonly #file: PatientFile;
  #size = 0;
  #records = 0;

  /** @param path of a file that is not there */
  constructor(readonly path: string) {
    this.#file = new PatientFile(path);
  }

  /** Goes on behind the last whole record of a log, or before its exit. */
  static continue(path: string): TransactionLog {
    const log = new TransactionLog(path);
    const { records, end } = readTransactionLog(path);
    truncateSync(path, end);
    log.#size = end;
    log.#records = records.length;
    return log;
  }

  append(record: WandbRecord): void {
    const parts: Uint8Array[] = [];
    if (this.#size === 0) parts.push(HEADER);
    let at = this.#size === 0 ? HEADER.length : this.#size;
    let data = encodeRecord({ num: ++this.#records, ...record });
    for (let first = true; first || data.length > 0; first = false) {
      const left = BLOCK - (at % BLOCK);
      if (left < CHUNK_HEADER) {
        parts.push(Buffer.alloc(left));
        at += left;
      }
      const room = BLOCK - (at % BLOCK) - CHUNK_HEADER;
      const piece = data.subarray(0, room);
      data = data.subarray(piece.length);
      parts.push(chunkOf(first ? (data.length > 0 ? FIRST : FULL) : data.length > 0 ? MIDDLE : LAST, piece));
      at += CHUNK_HEADER + piece.length;
    }
    this.#size = at;
    this.#file.append(Buffer.concat(parts));
  }

  /** @throws UserError where the disk does not take what is still held */
  close(): void {
    this.#file.close();
  }
}

/**
 * The records of a log up to its exit, and the number of bytes that hold them. What a process that was killed, or a full
 * disk, left unfinished behind them is left out.
 */
export function readTransactionLog(path: string): { records: WandbRecord[]; end: number } {
  const bytes = readFileSync(path);
  const records: WandbRecord[] = [];
  let pieces: Buffer[] = [];
  let end = Math.min(HEADER.length, bytes.length);
  for (let at = HEADER.length; at + CHUNK_HEADER <= bytes.length; ) {
    const left = BLOCK - (at % BLOCK);
    if (left < CHUNK_HEADER) {
      at += left;
      continue;
    }
    const length = bytes.readUInt16LE(at + 4);
    const data = bytes.subarray(at + 6, at + CHUNK_HEADER + length);
    if (data.length < length + 1 || crc32(data) !== bytes.readUInt32LE(at)) break;
    const kind = data[0]!;
    if (kind === FULL || kind === FIRST) pieces = [];
    pieces.push(data.subarray(1));
    at += CHUNK_HEADER + length;
    if (kind !== FULL && kind !== LAST) continue;
    const record = decodeRecord(Buffer.concat(pieces));
    if (record.exit) break;
    records.push(record);
    end = at;
  }
  return { records, end };
}

function chunkOf(kind: number, data: Uint8Array): Buffer {
  const chunk = Buffer.alloc(CHUNK_HEADER + data.length);
  chunk.writeUInt16LE(data.length, 4);
  chunk[6] = kind;
  chunk.set(data, CHUNK_HEADER);
  chunk.writeUInt32LE(crc32(chunk.subarray(6)), 0);
  return chunk;
}
