import { existsSync, statSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import { UserError } from "../../errors.js";
import { isJsonObject } from "../../files/json-file.js";
import type { Utterance } from "../utterance.js";
import { columnOf, listLabels, type Unlabelled } from "./clip-labels.js";
import { readRttm, type Segment } from "./rttm.js";

/** A clip with what is in it when, in seconds of the clip. */
export type Segmented<T extends Utterance = Utterance> = T & { segments: readonly Segment[] };

/**
 * The clips with their segments, and those without. They are in a column of a manifest, either as a JSON list
 * `[{"start": 0.5, "end": 1.2, "label": "speech"}]` in seconds of the recording, or as the path of an RTTM file; without the
 * column, in an RTTM file beside the recording that has its name.
 *
 * @param root of the corpus, from which paths in a column are meant
 * @throws UserError for a list or file that is wrong
 */
export function segmentClips<T extends Utterance>(
  utterances: readonly T[],
  column: string,
  root: string,
): { labelled: Segmented<T>[]; unlabelled: Unlabelled[] } {
  const files = new Map<string, Map<string, Segment[]>>();
  const rttm = (path: string) => {
    const known = files.get(path) ?? readRttm(path);
    files.set(path, known);
    return known;
  };
  const base = existsSync(root) && statSync(root).isFile() ? dirname(root) : root;
  const labelled: Segmented<T>[] = [];
  const unlabelled: Unlabelled[] = [];
  for (const utterance of utterances) {
    const { id, path } = utterance;
    const given = columnOf(utterance, column);
    const beside = path.slice(0, path.length - extname(path).length).concat(".rttm");
    const file = given === undefined ? beside : resolve(base, given);
    if (given?.startsWith("[")) {
      labelled.push(withSegments(utterance, parseList(given, utterance)));
    } else if (given !== undefined || existsSync(file)) {
      labelled.push(withSegments(utterance, ofRecording(rttm(file), utterance, file)));
    } else {
      const message = `${path}: utterance ${id} must have segments in the column '${column}' or in ${beside}, but has none.`;
      unlabelled.push({ id, path, message });
    }
  }
  return { labelled, unlabelled };
}

/** Segments in seconds of the recording as those of a clip of it. */
function withSegments<T extends Utterance>(utterance: T, segments: readonly Segment[]): Segmented<T> {
  const { start: begin = 0, seconds } = utterance;
  const own = segments.flatMap(({ start, end, label }) => {
    const [from, to] = [Math.max(0, start - begin), Math.min(seconds, end - begin)];
    return to > from ? [{ start: from, end: to, label }] : [];
  });
  return { ...utterance, segments: own };
}

function ofRecording(
  recordings: ReadonlyMap<string, readonly Segment[]>,
  { id, path }: Utterance,
  file: string,
): readonly Segment[] {
  const name = basename(path, extname(path));
  const found = recordings.get(name) ?? recordings.get(id);
  if (found) return found;
  if (recordings.size === 0) return []; // a recording in which nothing is
  throw new UserError(
    `${file} must have lines of the recording ${name}${id === name ? "" : ` or ${id}`}, but has those of ${listLabels([...recordings.keys()], 5)}.`,
  );
}

function parseList(text: string, { id, path }: Utterance): Segment[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    list = undefined;
  }
  const segments = Array.isArray(list) ? list.map(segmentOf) : [undefined];
  if (segments.every((segment) => segment !== undefined)) return segments;
  throw new UserError(
    `${path}: segments of utterance ${id} must be a JSON list such as [{"start": 0.5, "end": 1.2, "label": "speech"}] with ends behind ` +
      `starts, but are ${text.slice(0, 200)}.`,
  );
}

function segmentOf(value: unknown): Segment | undefined {
  if (!isJsonObject(value)) return undefined;
  const { start, end, label } = value;
  if (typeof start !== "number" || typeof end !== "number" || typeof label !== "string") return undefined;
  return start >= 0 && end > start && label !== "" ? { start, end, label } : undefined;
}
