import { existsSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import type { Clip, FindOptions, FoundClips } from "../corpus-clip.js";
import { listNames, orReport } from "../corpus-directory.js";
import { collapseSpaces, invalidText, readTextFile } from "../corpus-text.js";
import type { EventLoopTurns } from "../corpus-turns.js";
import { audioNames, stemOf } from "./audio-names.js";

export function isStm(path: string): boolean {
  return extname(path).toLowerCase() === ".stm";
}

/** Whether a directory lists its utterances in STM files, in itself or in `stm/`, as TED-LIUM's splits do. */
export function isStmDirectory(directory: string): boolean {
  return stmFiles(directory).length > 0;
}

function stmFiles(directory: string): string[] {
  const files = [directory, join(directory, "stm")].map((place) =>
    existsSync(place)
      ? (orReport(listNames, place, "", []) ?? []).filter(isStm).map((name) => join(place, name))
      : [],
  );
  return files.flat();
}

/**
 * Lists the segments of STM files (https://www.nist.gov/itl/iad/mig/tools, sclite's manual): a line of
 * `recording channel speaker start end <labels> text`. Recordings are beside the files or in `sph/`, `wav/` or `audio/` there.
 *
 * What is marked to be ignored in scoring is left out, and of a text the tags of what is no word, in `<>`, `{}` or `[]`, and the numbers
 * of pronunciations; TED-LIUM's `i 'm` becomes `i'm`.
 * @param path an STM file or a directory of them
 */
export async function findStmClips(
  path: string,
  { transcripts }: FindOptions,
  turns: EventLoopTurns,
): Promise<FoundClips> {
  const found: FoundClips = { clips: [], problems: [] };
  for (const file of isStm(path) ? [path] : stmFiles(path)) {
    if (turns.due) await turns.next();
    const recordings = recordingsFor(file);
    for (const [index, line] of readTextFile(file, "an STM file")
      .split(/\r\n|\n|\r/)
      .entries()) {
      if (!line.trim() || line.startsWith(";;")) continue;
      const where = `${file}:${index + 1}`;
      const segment = parseLine(line);
      if (segment === undefined) {
        const message = `${where} must be: recording, channel, speaker, start, end, text; but is ${JSON.stringify(line.slice(0, 100))}.`;
        found.problems.push({ id: where, file, kind: "manifest-row", message });
        continue;
      }
      const { recording, speaker, start, end, text } = segment;
      if (text.includes("ignore_time_segment_in_scoring")) continue;
      const id = `${recording}-${start}-${end}`;
      const clip: Clip = {
        id,
        path: recordings.get(recording) ?? join(dirname(file), `${recording}.sph`),
        text: undefined,
        split: undefined,
        speaker,
        chapter: undefined,
        start: start || undefined,
        end,
        columns: undefined,
        where,
      };
      found.clips.push(clip);
      if (transcripts === "none") continue;
      const words = wordsOf(text);
      const invalid = words === "" ? "must be text, but holds no word." : invalidText(words);
      if (invalid === undefined) clip.text = words;
      else
        found.problems.push({
          id,
          file,
          kind: words === "" ? "transcript-without-text" : "invalid-text",
          message: `${where}: transcript of utterance ${id} ${invalid}`,
        });
    }
  }
  return found;
}

interface Segment {
  recording: string;
  speaker: string;
  /** Seconds. */
  start: number;
  end: number;
  text: string;
}

function parseLine(line: string): Segment | undefined {
  const fields = /^\s*(\S+)\s+\S+\s+(\S+)\s+(\S+)\s+(\S+)\s*(?:<[^>\s]*>)?(.*)$/.exec(line);
  const [, recording = "", speaker = "", start = "", end = "", text = ""] = fields ?? [];
  const times = { start: Number(start), end: Number(end) };
  return fields && times.start >= 0 && times.end > times.start
    ? { recording, speaker, ...times, text }
    : undefined;
}

function wordsOf(text: string): string {
  const words = text.replace(/<[^>]*>|\{[^}]*\}|\[[^\]]*\]|\(\d+\)/g, " ");
  return collapseSpaces(words).replace(/(?<=\S) (?='(?:s|m|d|re|ve|ll|t)\b)/gi, "");
}

/** Where the recordings of an STM file lie, by their names without endings. */
function recordingsFor(file: string): Map<string, string> {
  const directory = dirname(resolve(file));
  const above = basename(directory).toLowerCase() === "stm" ? dirname(directory) : directory;
  const places = [dirname(file), ...["", "sph", "wav", "audio"].map((name) => join(above, name))];
  const found = new Map<string, string>();
  for (const place of places) {
    if (!existsSync(place)) continue;
    for (const name of audioNames(orReport(listNames, place, "", []) ?? []))
      if (!found.has(stemOf(name))) found.set(stemOf(name), join(place, name));
  }
  return found;
}
