import { join } from "node:path";
import { readAudio, SAMPLE_RATE } from "../audio/audio-file.js";
import { encodeFlac } from "../audio/flac-writer.js";
import { UserError } from "../errors.js";
import { reasonOf, writeFileAtomic } from "../files/atomic-file.js";
import { makeDirectory } from "../files/make-directory.js";

/** An utterance whose audio may be there. */
export interface Playable {
  id: string;
  path?: string | undefined;
  start?: number | undefined;
  end?: number | undefined;
}

/** Where the clips of a report are, by utterance. */
export interface ReportClips {
  /** What the page plays: a data URL, or a path relative to the page. */
  urls: ReadonlyMap<string, string>;
  /** Utterances that were to have a clip and have none, since the page is full or their audio cannot be read. */
  left: number;
  /** Of FLAC. */
  bytes: number;
}

/** A page with more audio in it takes long to open: 24 MB become 32 MB of text. */
export const MOST_EMBEDDED_BYTES = 24e6;
const FOLDER = "audio";

/** Clips as data URLs, in order, as long as they fit. */
export async function embedClips(
  utterances: readonly Playable[],
  mostBytes = MOST_EMBEDDED_BYTES,
): Promise<ReportClips> {
  const urls = new Map<string, string>();
  let bytes = 0;
  for (const utterance of utterances) {
    const flac = await clipFlac(utterance);
    if (!flac) continue;
    if (bytes + flac.length > mostBytes) break;
    bytes += flac.length;
    urls.set(utterance.id, `data:audio/flac;base64,${Buffer.from(flac).toString("base64")}`);
  }
  return { urls, left: utterances.length - urls.size, bytes };
}

/** Clips as files in a folder of the report's directory. */
export async function writeClips(utterances: readonly Playable[], directory: string): Promise<ReportClips> {
  await makeDirectory(join(directory, FOLDER)).catch((error: unknown) => {
    throw new UserError(`${directory} must be a directory that can be written to, but ${reasonOf(error)}.`);
  });
  const urls = new Map<string, string>();
  let bytes = 0;
  for (const utterance of utterances) {
    const flac = await clipFlac(utterance);
    if (!flac) continue;
    // An id may be anything; a file's name, and a URL, may not.
    const name = `${urls.size + 1}-${utterance.id.replace(/[^A-Za-z0-9._-]/g, "_").slice(0, 100)}.flac`;
    await writeFileAtomic(join(directory, FOLDER, name), flac);
    bytes += flac.length;
    urls.set(utterance.id, `${FOLDER}/${name}`);
  }
  return { urls, left: utterances.length - urls.size, bytes };
}

/** 16-bit FLAC at 16 kHz; nothing where the audio is gone. */
async function clipFlac({ path, start, end }: Playable): Promise<Uint8Array | undefined> {
  if (path === undefined) return undefined;
  try {
    return encodeFlac(await readAudio(path, { start, end }), SAMPLE_RATE);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
