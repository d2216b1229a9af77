import { createHash } from "node:crypto";
import { UserError } from "../../errors.js";
import { writePartsAtomic } from "../../files/atomic-parts.js";
import { firstBytes } from "../../files/file-bytes.js";
import { unreadable } from "../../files/unreadable.js";
import type { Automaton } from "./automaton.js";
import { NgramTable } from "./ngram-table.js";
import { StateTable } from "./state-table.js";
import { UnigramTable } from "./unigram-table.js";
import { WordTable } from "./word-table.js";

// The file: magic, then as 32-bit little-endian numbers the version and the length of the header, then the header's
// SHA-256, then the header in JSON, filled with spaces up to the arrays, which are as they are in memory.

const MAGIC = Buffer.from("w2v2 n-grams\r\n\x1a\n", "latin1"); // spoiled by all that changes line ends
const VERSION = 1;
const HEADER_AT = MAGIC.length + 8 + 32;
/** Arrays begin at whole lines of the cache. */
const ALIGNMENT = 64;
const EXPECTED = "a compiled language model";

/** Where an array lies in the file, in bytes. */
interface Section {
  at: number;
  length: number;
}

const SECTIONS = ["bytes", "ends", "slots", "unigrams", "states", "ngrams"] as const;
type SectionName = (typeof SECTIONS)[number];

interface Header {
  counts: number[];
  beginWord: number;
  endWord: number;
  unknownWord: number;
  sections: Record<SectionName, Section>;
  /** Of the whole file. */
  fileBytes: number;
  /** SHA-256 of the sections one behind another. */
  checksum: string;
}

/** Whether a file that begins so is a compiled language model, of whatever version. */
export function isCompiled(first: Uint8Array): boolean {
  return Buffer.compare(first.subarray(0, MAGIC.length), MAGIC) === 0;
}

/**
 * Writes a model so that {@link readCompiled} has it at once.
 *
 * @throws UserError where the file cannot be written
 */
export async function writeCompiled(path: string, automaton: Automaton, signal?: AbortSignal): Promise<void> {
  const { counts, beginWord, endWord, unknownWord } = automaton;
  const arrays = SECTIONS.map((name) => bytesOf(arrayOf(automaton, name)));
  const checksum = createHash("sha256");
  for (const bytes of arrays) for await (const part of slices(bytes, signal)) checksum.update(part);
  const header: Header = {
    counts: [...counts],
    beginWord,
    endWord,
    unknownWord,
    sections: Object.fromEntries(
      SECTIONS.map((name, i): [SectionName, Section] => [name, { at: 0, length: arrays[i]!.length }]),
    ) as Record<SectionName, Section>,
    fileBytes: 0,
    checksum: checksum.digest("hex"),
  };
  // Room for the places, which depend on the header's length: numbers of at most 16 digits.
  const start = aligned(HEADER_AT + JSON.stringify(header).length + 16 * (SECTIONS.length + 1));
  let at = start;
  for (const name of SECTIONS) {
    header.sections[name].at = at;
    at = aligned(at + header.sections[name].length);
  }
  header.fileBytes = at;
  const json = Buffer.from(JSON.stringify(header).padEnd(start - HEADER_AT));
  const head = Buffer.alloc(HEADER_AT);
  MAGIC.copy(head);
  head.writeUInt32LE(VERSION, MAGIC.length);
  head.writeUInt32LE(json.length, MAGIC.length + 4);
  createHash("sha256")
    .update(json)
    .digest()
    .copy(head, MAGIC.length + 8);
  await writePartsAtomic(
    path,
    (async function* () {
      yield head;
      yield json;
      for (const bytes of arrays) {
        yield* slices(bytes, signal);
        yield new Uint8Array(aligned(bytes.length) - bytes.length);
      }
    })(),
  );
}

/**
 * A compiled model, mapped into memory: there at once, and shared with other processes that map it.
 *
 * @throws UserError where the file is none, cut, of another version, or its header is damaged
 */
export async function readCompiled(path: string): Promise<Automaton> {
  const head = await firstBytes(path, HEADER_AT, EXPECTED);
  requireVersion(path, Buffer.from(head));
  // Only here: all else of language models works where the bridge is not built.
  const { mapFile, MappedFileError } = await import("@wav2vec2/libtorch");
  let buffer: ArrayBuffer;
  try {
    buffer = mapFile(path);
  } catch (error) {
    if (error instanceof MappedFileError) throw unreadable(path, EXPECTED, error);
    throw error;
  }
  const header = readHeader(path, Buffer.from(buffer));
  const { counts, beginWord, endWord, unknownWord, sections } = header;
  const section = <T>(
    Type: { new (buffer: ArrayBuffer, at: number, length: number): T; readonly BYTES_PER_ELEMENT: number },
    name: SectionName,
  ): T => new Type(buffer, sections[name].at, sections[name].length / Type.BYTES_PER_ELEMENT);
  return {
    order: counts.length,
    counts,
    words: new WordTable({
      bytes: section(Uint8Array, "bytes"),
      ends: section(Uint32Array, "ends"),
      slots: section(Uint32Array, "slots"),
    }),
    beginWord,
    endWord,
    unknownWord,
    unigrams: new UnigramTable(section(Int32Array, "unigrams")),
    states: new StateTable(section(Int32Array, "states")),
    ngrams: new NgramTable(section(Int32Array, "ngrams")),
  };
}

/**
 * Reads all of a compiled model to see whether it is as it was written; {@link readCompiled} looks at its header only.
 *
 * @throws UserError where it is not
 */
export async function verifyCompiled(path: string, signal?: AbortSignal): Promise<void> {
  const automaton = await readCompiled(path);
  const checksum = createHash("sha256");
  for (const name of SECTIONS)
    for await (const part of slices(bytesOf(arrayOf(automaton, name)), signal)) checksum.update(part);
  const { checksum: expected } = readHeader(path, Buffer.from(automaton.words.arrays.bytes.buffer));
  if (checksum.digest("hex") !== expected) throw damaged(path, "its contents do not fit their checksum");
}

function requireVersion(path: string, head: Buffer): void {
  if (!isCompiled(head))
    throw new UserError(`${path} must be a compiled language model, but begins as none does.`, {
      code: "ERR_LANGUAGE_MODEL",
    });
  if (head.length < HEADER_AT) throw damaged(path, "it is cut");
  const version = head.readUInt32LE(MAGIC.length);
  if (version !== VERSION)
    throw new UserError(
      `${path} must be a compiled language model of version ${VERSION}, but is of version ${version}. Compile it again with this program.`,
      { code: "ERR_LANGUAGE_MODEL" },
    );
}

function readHeader(path: string, bytes: Buffer): Header {
  const end = HEADER_AT + bytes.readUInt32LE(MAGIC.length + 4);
  if (end > bytes.length) throw damaged(path, "it is cut");
  const json = bytes.subarray(HEADER_AT, end);
  const checksum = createHash("sha256").update(json).digest();
  if (Buffer.compare(checksum, bytes.subarray(MAGIC.length + 8, HEADER_AT)) !== 0)
    throw damaged(path, "its header does not fit its checksum");
  const header = JSON.parse(json.toString()) as Header;
  if (header.fileBytes !== bytes.length)
    throw damaged(path, `it has ${bytes.length} of its ${header.fileBytes} bytes`);
  return header;
}

function damaged(path: string, fault: string): UserError {
  return new UserError(
    `${path} must be a whole compiled language model, but is damaged: ${fault}. Compile it again.`,
    { code: "ERR_LANGUAGE_MODEL" },
  );
}

function arrayOf({ words, ...tables }: Automaton, name: SectionName): ArrayBufferView {
  return name === "bytes" || name === "ends" || name === "slots" ? words.arrays[name] : tables[name].array;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

const SLICE_BYTES = 1 << 23;

/** Parts of an array, with a turn for others before each. */
async function* slices(bytes: Uint8Array, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
    await new Promise(setImmediate);
    signal?.throwIfAborted();
    yield bytes.subarray(at, at + SLICE_BYTES);
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
