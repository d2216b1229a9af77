import { writePartsAtomic } from "../../../files/atomic/atomic-parts.js";
import { firstBytes } from "../../../files/file-bytes.js";
import { unreadable } from "../../../files/unreadable.js";
import { createHash } from "../../../platform/node/hash.js";
import type { Automaton } from "./automaton.js";
import {
  arrayOf,
  bytesOf,
  HEADER_AT,
  type Header,
  hex,
  MAGIC,
  parseCompiled,
  requireVersion,
  SECTIONS,
  type Section,
  type SectionName,
  slices,
  VERSION,
  verifyAutomaton,
} from "./compiled-format.js";

/** Arrays begin at whole lines of the cache. */
const ALIGNMENT = 64;
const EXPECTED = "a compiled language model";

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
    checksum: hex(checksum.digest()),
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
  head.set(MAGIC);
  head.writeUInt32LE(VERSION, MAGIC.length);
  head.writeUInt32LE(json.length, MAGIC.length + 4);
  head.set(createHash("sha256").update(json).digest(), MAGIC.length + 8);
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
  requireVersion(path, await firstBytes(path, HEADER_AT, EXPECTED));
  // Only here: all else of language models works where the bridge is not built.
  const { mapFile, MappedFileError } = await import("@wav2vec2/libtorch");
  let buffer: ArrayBuffer;
  try {
    buffer = mapFile(path);
  } catch (error) {
    if (error instanceof MappedFileError) throw unreadable(path, EXPECTED, error);
    throw error;
  }
  return parseCompiled(path, buffer);
}

/**
 * Reads all of a compiled model to see whether it is as it was written; {@link readCompiled} looks at its header only.
 *
 * @throws UserError where it is not
 */
export async function verifyCompiled(path: string, signal?: AbortSignal): Promise<void> {
  await verifyAutomaton(path, await readCompiled(path), signal);
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
