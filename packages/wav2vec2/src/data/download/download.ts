import { stat } from "node:fs/promises";
import {
  isObject,
  type Kind,
  listOf,
  OBJECT,
  PATH,
  requireArguments,
  requireKind,
} from "../../argument-kinds.js";
import { UserError } from "../../errors.js";
import { mapConcurrent } from "../map-concurrent.js";
import { type ArchiveFiles, fetchArchive } from "./archive.js";
import { explainFullDisk, requireDiskSpace } from "./disk-space.js";
import { type CorpusPart, openSlr, unpackedBytes } from "./parts.js";
import { CorpusPlace } from "./place.js";

/** Parts that are downloaded and unpacked at once. */
const AT_ONCE = 2;

export interface CorpusProgress {
  /** Bytes of archives that have come, those of an earlier attempt included. */
  received: number;
  /** How many of these lay on the disk before. */
  resumed: number;
  /** Bytes of all archives that are wanted and not there. */
  total: number;
}

export interface CorpusDownloadOptions {
  /** Directory that comes to hold `LibriSpeech/<part>`. */
  to: string;
  /** A server's address up to `/resources`; OpenSLR's own when left out. */
  mirror?: string | undefined;
  /** Leaves the archives in `to`. */
  keepArchives?: boolean | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: CorpusProgress) => void) | undefined;
  /** Gets what the user should know. */
  onNote?: ((text: string) => void) | undefined;
  /** Milliseconds without a byte after which a connection counts as cut. */
  stallTimeout?: number;
  /** Milliseconds to wait before each new attempt that follows one without a byte. */
  retryDelays?: readonly number[];
}

export interface DownloadedPart {
  name: string;
  path: string;
  /** That came from the server in this call: 0 where the part was there. */
  bytes: number;
  seconds: number;
}

const PARTS: Kind = {
  ...listOf("parts of LibriSpeech", (part) => isObject(part) && typeof part.name === "string"),
  advice: () => "Choose some of corpusParts.",
};

/**
 * Downloads parts of LibriSpeech, checks their MD5s and unpacks them to `<to>/LibriSpeech/<part>`, two at once. A part
 * is there whole or not at all; what has come of an archive when this ends, however it ends, is gone on with by the
 * next call. One part that fails does not keep the others from being fetched.
 *
 * @throws UserError when a part cannot be had, the disk is too small, or what came is wrong
 * @throws the signal's reason once that is aborted
 */
export async function downloadParts(
  parts: readonly CorpusPart[],
  options: CorpusDownloadOptions,
): Promise<DownloadedPart[]> {
  requireArguments("downloadParts", { parts: [parts, PARTS], options: [options, OBJECT] });
  requireKind("to of downloadParts", options.to, PATH);
  const { to, keepArchives = false, onNote = () => {} } = options;
  const place = await CorpusPlace.open(to);
  const wanted = new Map<CorpusPart, ArchiveFiles>();
  for (const part of parts) {
    if (!(await place.has(part))) {
      wanted.set(part, await place.claim(part));
      continue;
    }
    onNote(`${part.name} is there already: ${place.path(part)}`);
    await place.tidy(part);
  }
  await requireDiskSpace(place.workshop, await spaceFor(wanted, keepArchives));

  const progress = { received: 0, resumed: 0, total: 0 };
  for (const { bytes } of wanted.keys()) progress.total += bytes;
  const failures: unknown[] = [];
  const results = await mapConcurrent(parts, AT_ONCE, async (part): Promise<DownloadedPart> => {
    const result = { name: part.name, path: place.path(part), bytes: 0, seconds: 0 };
    const files = wanted.get(part);
    if (files === undefined || options.signal?.aborted) return result;
    const began = performance.now();
    try {
      await fetchPart(part, files, place, options, (count, from) => {
        progress.received += count;
        if (from === "disk") progress.resumed += count;
        else result.bytes += count;
        options.onProgress?.({ ...progress });
      });
      result.seconds = (performance.now() - began) / 1000;
      onNote(`${part.name} is complete (${part.utterances} utterances, ${part.hours} hours): ${result.path}`);
    } catch (error) {
      failures.push(error);
    }
    return result;
  });
  options.signal?.throwIfAborted();
  throwAll(failures);
  return results;
}

async function fetchPart(
  part: CorpusPart,
  files: ArchiveFiles,
  place: CorpusPlace,
  options: CorpusDownloadOptions,
  onBytes: (count: number, from: "disk" | "server") => void,
): Promise<void> {
  const { mirror = openSlr, keepArchives = false, signal, onNote = () => {} } = options;
  const { stallTimeout = 30_000, retryDelays = [1000, 2000, 4000, 8000, 16_000, 30_000, 60_000] } = options;
  try {
    await fetchArchive(part, `${mirror}/${part.archive}`, files, {
      stallTimeout,
      retryDelays,
      signal,
      onBytes,
      onNote,
      onRetry: ({ message }, delay) =>
        onNote(`${part.name}: ${message}. Trying again${delay > 0 ? ` in ${delay / 1000} s` : ""}.`),
    });
    await place.moveIn(part, files, keepArchives);
  } catch (error) {
    throw await explainFullDisk(error, place.root, part.name);
  }
}

/** Bytes that the disk must still hold at the worst moment. */
async function spaceFor(
  wanted: ReadonlyMap<CorpusPart, ArchiveFiles>,
  keepArchives: boolean,
): Promise<number> {
  const missing: number[] = [];
  let unpacked = 0;
  for (const [part, { archive }] of wanted) {
    const present = await stat(archive).catch(() => undefined);
    missing.push(part.bytes - (present?.size ?? 0));
    unpacked += unpackedBytes(part);
  }
  missing.sort((a, b) => b - a);
  // An archive goes when its part is unpacked.
  const archives = keepArchives ? missing : missing.slice(0, AT_ONCE);
  return unpacked + archives.reduce((sum, bytes) => sum + bytes, 0);
}

function throwAll(failures: readonly unknown[]): void {
  const fault = failures.find((error) => !(error instanceof UserError));
  if (fault !== undefined) throw fault;
  const errors = failures as readonly UserError[];
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new UserError(errors.map(({ message }) => message).join("\n"));
}
