import { createHash } from "#platform/hash";
import { turn } from "#platform/turn";
import { UserError } from "../../../errors.js";
import { latin1Bytes } from "../../../latin1.js";
import type { Automaton } from "./automaton.js";
import { NgramTable } from "./ngram-table.js";
import { StateTable } from "./state-table.js";
import { UnigramTable } from "./unigram-table.js";
import { WordTable } from "./word-table.js";

// The file: magic, then as 32-bit little-endian numbers the version and the length of the header, then the header's
// SHA-256, then the header in JSON, filled with spaces up to the arrays, which are as they are in memory.

export const MAGIC = latin1Bytes("w2v2 n-grams\r\n\x1a\n"); // spoiled by all that changes line ends
export const VERSION = 1;
export const HEADER_AT = MAGIC.length + 8 + 32;

/** Where an array lies in the file, in bytes. */
export interface Section {
  at: number;
  length: number;
}

export const SECTIONS = ["bytes", "ends", "slots", "unigrams", "states", "ngrams"] as const;
export type SectionName = (typeof SECTIONS)[number];

export interface Header {
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
  return MAGIC.every((byte, i) => first[i] === byte);
}

/**
 * A compiled model whose bytes are there, which it goes on to use.
 *
 * @param name the file's, for messages
 * @throws UserError where they are none, cut, of another version, or their header is damaged
 */
export function parseCompiled(name: string, buffer: ArrayBuffer): Automaton {
  const { counts, beginWord, endWord, unknownWord, sections } = readHeader(name, new Uint8Array(buffer));
  const section = <T>(
    Type: { new (buffer: ArrayBuffer, at: number, length: number): T; readonly BYTES_PER_ELEMENT: number },
    array: SectionName,
  ): T => new Type(buffer, sections[array].at, sections[array].length / Type.BYTES_PER_ELEMENT);
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
 * Reads all of a compiled model to see whether it is as it was written; {@link parseCompiled} looks at its header only.
 *
 * @throws UserError where it is not
 */
export async function verifyAutomaton(
  name: string,
  automaton: Automaton,
  signal?: AbortSignal,
): Promise<void> {
  const checksum = createHash("sha256");
  for (const section of SECTIONS)
    for await (const part of slices(bytesOf(arrayOf(automaton, section)), signal)) checksum.update(part);
  const { checksum: expected } = readHeader(name, new Uint8Array(automaton.words.arrays.bytes.buffer));
  if (hex(checksum.digest()) !== expected) throw damaged(name, "its contents do not fit their checksum");
}

/** @throws UserError where a file that begins so is none of this version */
export function requireVersion(name: string, head: Uint8Array): void {
  if (!isCompiled(head))
    throw new UserError(`${name} must be a compiled language model, but begins as none does.`, {
      code: "ERR_LANGUAGE_MODEL",
    });
  if (head.length < HEADER_AT) throw damaged(name, "it is cut");
  const version = uint32(head, MAGIC.length);
  if (version !== VERSION)
    throw new UserError(
      `${name} must be a compiled language model of version ${VERSION}, but is of version ${version}. Compile it again with this program.`,
      { code: "ERR_LANGUAGE_MODEL" },
    );
}

function readHeader(name: string, bytes: Uint8Array): Header {
  requireVersion(name, bytes);
  const end = HEADER_AT + uint32(bytes, MAGIC.length + 4);
  if (end > bytes.length) throw damaged(name, "it is cut");
  const json = bytes.subarray(HEADER_AT, end);
  const checksum = createHash("sha256").update(json).digest();
  if (hex(checksum) !== hex(bytes.subarray(MAGIC.length + 8, HEADER_AT)))
    throw damaged(name, "its header does not fit its checksum");
  const header = JSON.parse(new TextDecoder().decode(json)) as Header;
  if (header.fileBytes !== bytes.length)
    throw damaged(name, `it has ${bytes.length} of its ${header.fileBytes} bytes`);
  return header;
}

function uint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function damaged(name: string, fault: string): UserError {
  return new UserError(
    `${name} must be a whole compiled language model, but is damaged: ${fault}. Compile it again.`,
    { code: "ERR_LANGUAGE_MODEL" },
  );
}

export function arrayOf({ words, ...tables }: Automaton, name: SectionName): ArrayBufferView {
  return name === "bytes" || name === "ends" || name === "slots" ? words.arrays[name] : tables[name].array;
}

export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

const SLICE_BYTES = 1 << 23;

/** Parts of an array, with a turn for others before each. */
export async function* slices(bytes: Uint8Array, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
    await turn();
    signal?.throwIfAborted();
    yield bytes.subarray(at, at + SLICE_BYTES);
  }
}
