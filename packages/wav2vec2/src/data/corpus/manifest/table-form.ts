import { existsSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { UserError } from "../../../errors.js";
import { lazyPackage } from "../../../lazy-package.js";
import { audioNames } from "../layouts/audio-names.js";
import { hasAudioColumn } from "./manifest-columns.js";

const csv = lazyPackage<typeof import("csv-parse/sync")>("csv-parse/sync");

/** How a table is written, as its first line shows. */
export interface TableForm {
  separator: string;
  /** Whether fields with the separator in them stand in quotation marks. */
  isQuoted: boolean;
  /** Of the columns, where the first line is a row already. */
  names: readonly string[] | undefined;
}

/**
 * Tells how a table is written: divided by tabs in `.tsv`, by commas in `.csv`, or by what its first line holds instead
 * (`;` of spreadsheets, `|` of corpora for speech synthesis). Where the first line is no line of names, the columns are those
 * of FLEURS, of LJSpeech, or a recording and its transcript.
 * @throws UserError where the first line is a row, and which of its fields is the transcript does not show
 */
export function tableForm(path: string, first: string): TableForm {
  const separator = separatorOf(path, first);
  const isQuoted = separator === "," || separator === ";";
  const fields = fieldsOf(first, separator);
  if (hasAudioColumn(fields)) return { separator, isQuoted, names: undefined };
  const names = namesOf(path, fields);
  if (names === undefined && fields.some(isRecording))
    throw new UserError(
      `${path} must have a first line of names, but begins with a row, and which of its ${fields.length} fields is the transcript does not show. ` +
        `Put a line above it such as ${fields.map((field, i) => (isRecording(field) ? "audio" : i === fields.length - 1 ? "text" : `other${i}`)).join(separator)}`,
    );
  return { separator, isQuoted, names };
}

/** Whether a table is one of recordings: by the names in its first line, or by a recording in it. */
export function isTableOfAudio(path: string, first: string): boolean {
  const fields = fieldsOf(first, separatorOf(path, first));
  return hasAudioColumn(fields) || (fields.some(isRecording) && namesOf(path, fields) !== undefined);
}

function separatorOf(path: string, first: string): string {
  const usual = extname(path).toLowerCase() === ".csv" ? "," : "\t";
  if (first.includes("|") && !hasAudioColumn(fieldsOf(first, usual)) && !first.includes("\t")) return "|";
  return [usual, "\t", ";", "|", ","].find((each) => first.includes(each)) ?? usual;
}

function fieldsOf(line: string, separator: string): string[] {
  const isQuoted = separator === "," || separator === ";";
  const fields = isQuoted ? quotedFields(line, separator) : undefined;
  return (fields ?? line.split(separator)).map((name) => name.trim().replace(/^"(.*)"$/, "$1"));
}

/** Undefined where a quotation mark is missing, or the row goes on in the next line. */
function quotedFields(line: string, separator: string): string[] | undefined {
  try {
    return csv.parse(line, { delimiter: separator, ltrim: true })[0];
  } catch {
    return undefined;
  }
}

function isRecording(field: string): boolean {
  return audioNames([field.slice(field.lastIndexOf("/") + 1)]).length > 0;
}

/** The columns of a table whose first line is a row already; undefined where they do not show. */
function namesOf(path: string, fields: readonly string[]): string[] | undefined {
  const [first = "", second = ""] = fields;
  if (isFleurs(fields)) return ["number", "audio", "raw", "text", "characters", "samples", "gender"];
  if (fields.length === 2 && isRecording(first)) return ["audio", "text"];
  if (fields.length === 2 && isRecording(second)) return ["text", "audio"];
  const isSynthesis = fields.length === 3 && existsSync(join(dirname(path), "wavs", `${first}.wav`));
  return isSynthesis ? ["audio", "raw", "text"] : undefined;
}

/** https://huggingface.co/datasets/google/fleurs: its tables have no line of names. */
function isFleurs(fields: readonly string[]): boolean {
  return fields.length === 7 && isRecording(fields[1]!) && /^(MALE|FEMALE|OTHER)$/i.test(fields[6]!);
}
