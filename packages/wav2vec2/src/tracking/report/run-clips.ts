import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isClipPath } from "../sinks/clip-path.js";
import type { RunClips } from "./clip-urls.js";
import type { Rows } from "./metric-series.js";

/** Of FLAC: with it a page stays below 5 MB, as base64 makes four bytes of three. */
const MOST_BYTES = 1.8e6;

/**
 * The audio of clips as data URLs, in order, as far as they fit.
 *
 * @param wanted run directories with the lines that name clips in `audio`
 */
export async function embedRunClips(
  wanted: readonly { directory: string; rows: Rows }[],
  mostBytes = MOST_BYTES,
): Promise<RunClips> {
  const urls = new Map<string, string>();
  const left = new Set<string>();
  let bytes = 0;
  for (const { directory, rows } of wanted)
    for (const { audio } of rows) {
      if (typeof audio !== "string" || urls.has(audio)) continue;
      const flac = await readClip(directory, audio);
      if (!flac || bytes + flac.length > mostBytes) {
        left.add(audio);
        continue;
      }
      left.delete(audio); // of another run, where it could not be read
      bytes += flac.length;
      urls.set(audio, `data:audio/flac;base64,${flac.toString("base64")}`);
    }
  return { urls, played: urls.size, left: left.size };
}

/** A file of the run's own clips. */
async function readClip(directory: string, audio: string): Promise<Buffer | undefined> {
  if (!isClipPath(audio)) return undefined;
  const path = join(directory, audio);
  try {
    if (!(await lstat(path)).isFile()) return undefined;
    const bytes = await readFile(path);
    return bytes.toString("latin1", 0, 4) === "fLaC" ? bytes : undefined;
  } catch {
    return undefined; // gone, or not to be read by this user
  }
}
