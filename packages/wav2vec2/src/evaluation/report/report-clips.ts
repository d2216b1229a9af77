import { join } from "node:path";
import { clipFlac } from "../../audio/flac/clip-flac.js";
import type { ClipSource } from "../../audio/sources/clip-source.js";
import { UserError } from "../../errors.js";
import { reasonOf, writeFileAtomic } from "../../files/atomic/atomic-file.js";
import { fileNameOf } from "../../files/file-name.js";
import { makeDirectory } from "../../files/make-directory.js";

/** An utterance whose audio may be there. */
export interface Playable extends ClipSource {
  id: string;
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
    const name = `${urls.size + 1}-${fileNameOf(utterance.id)}.flac`;
    await writeFileAtomic(join(directory, FOLDER, name), flac);
    bytes += flac.length;
    urls.set(utterance.id, `${FOLDER}/${name}`);
  }
  return { urls, left: utterances.length - urls.size, bytes };
}
