import { existsSync } from "node:fs";
import { dirname, extname, isAbsolute, join } from "node:path";
import { isJsonObject, type JsonObject } from "../../../files/json-file.js";
import { stemOf } from "../layouts/audio-names.js";
import { firstLines } from "./first-lines.js";
import { type JsonPart, readJsonParts } from "./json-parts.js";
import { hasAudioColumn } from "./manifest-columns.js";
import { type Row, readJsonRows } from "./manifest-rows.js";

const ENDINGS = [".jsonl", ".json"];

export function isJsonName(path: string): boolean {
  return ENDINGS.includes(extname(path).toLowerCase());
}

/**
 * Rows of a JSON file in any of the forms in which lists of speech come: an object a line (NeMo), a list of objects, an
 * object of them by their ids (SpeechBrain), and GigaSpeech's list of recordings with their segments.
 * @throws UserError where the file cannot be read
 */
export async function* readJsonFile(path: string): AsyncGenerator<Row[]> {
  if (extname(path).toLowerCase() === ".jsonl" || (await isOneALine(path))) {
    yield* readJsonRows(path);
    return;
  }
  for await (const part of readJsonParts(path)) yield rowsOf(part, path);
}

/** The names of the columns of a JSON file's first row; none where it is no list of objects. */
export async function firstJsonNames(path: string): Promise<string[]> {
  for await (const rows of readJsonFile(path)) for (const { values } of rows) return Object.keys(values);
  return [];
}

/** Whether each line is a row; a whole file in one line is an object of rows. */
async function isOneALine(path: string): Promise<boolean> {
  const first = parsed((await firstLines(path))[0] ?? "");
  return isJsonObject(first) && hasAudioColumn(Object.keys(first));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function rowsOf({ key, text, line }: JsonPart, path: string): Row[] {
  const value = parsed(text);
  if (isJsonObject(value) && key === "audios" && Array.isArray(value.segments))
    return gigaSpeechRows(value, path, line);
  if (isJsonObject(value)) return [{ line, values: key === undefined ? value : { id: key, ...value } }];
  // Beside GigaSpeech's recordings the file tells its name, version and licence.
  if (key !== undefined && value !== undefined) return [];
  return [{ line, values: {}, problem: `must be a JSON object, but is ${text.slice(0, 80)}.` }];
}

/** https://github.com/SpeechColab/GigaSpeech#metadata: recordings with segments, of subsets that hold one another. */
function gigaSpeechRows(recording: JsonObject, path: string, line: number): Row[] {
  const audio = converted(String(recording.path), dirname(path));
  const rows: Row[] = [];
  for (const segment of recording.segments as unknown[]) {
    if (!isJsonObject(segment)) continue;
    const text = withoutTags(String(segment.text_tn ?? ""));
    if (text === "") continue; // music, noise or silence
    const subsets = Array.isArray(segment.subsets) ? segment.subsets : [];
    rows.push({
      line,
      splits: subsets.map((name) => String(name).replace(/^\{(.*)\}$/, "$1")),
      values: {
        id: segment.sid,
        audio,
        start: segment.begin_time,
        end: segment.end_time,
        text,
        speaker: segment.speaker === "N/A" ? undefined : segment.speaker,
      },
    });
  }
  return rows;
}

/** Punctuation stands as `<COMMA>`, what is no speech as `<MUSIC>`. */
function withoutTags(text: string): string {
  return text
    .replace(/<[A-Z]+>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}

/** Opus is decoded as a whole for each of its segments: FLAC or WAV beside it is preferred. */
function converted(audio: string, directory: string): string {
  const path = isAbsolute(audio) ? audio : join(directory, audio);
  const other = [".flac", ".wav"].map((ending) => stemOf(path) + ending).find((each) => existsSync(each));
  return other ?? path;
}
