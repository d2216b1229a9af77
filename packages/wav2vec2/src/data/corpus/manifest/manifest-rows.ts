import { createReadStream } from "node:fs";
import { UserError } from "../../../errors.js";
import { isJsonObject } from "../../../files/json-file.js";
import { notUtf8 } from "../../../files/text-encoding.js";
import { unreadable } from "../../../files/unreadable.js";
import { type Line, readLines } from "../corpus-text.js";

/** A row of a manifest, its values by the names of its columns. */
export interface Row {
  /** Of the file, counted from 1. */
  line: number;
  values: Record<string, unknown>;
  /** Names of the splits that it belongs to, where the corpus has splits within one another. */
  splits?: readonly string[];
  /** What is wrong with the row, as the end of a sentence that begins with file and line; there are no values then. */
  problem?: string;
}

const MAX_ROW = 2 ** 20;

/**
 * Rows of a file of one JSON object a line, a list of rows a block of the file. Blank lines are left out.
 * @throws UserError where the file cannot be read
 */
export async function* readJsonRows(path: string): AsyncGenerator<Row[]> {
  for await (const lines of readLines(path))
    yield lines.filter(({ text, problem }) => problem || text.trim()).map(parseJsonLine);
}

function parseJsonLine({ number, text, problem }: Line): Row {
  if (problem) return { line: number, values: {}, problem };
  try {
    const values: unknown = JSON.parse(text);
    if (isJsonObject(values)) return { line: number, values };
    return { line: number, values: {}, problem: "must be a JSON object, but is not." };
  } catch (error) {
    const reason = (error as Error).message.slice(0, 200);
    return { line: number, values: {}, problem: `must be a JSON object, but is not: ${reason}.` };
  }
}

/** Some rows of a table and the names that stand in its first line. */
export interface TableRows {
  names: string[];
  rows: Row[];
}

/** How the rows of a table are written. */
export interface TableOptions {
  /** A character. */
  separator: string;
  /** Of the columns, where they do not stand in the first line. */
  names?: readonly string[] | undefined;
}

/**
 * Rows below a first line of names, divided by tabs or another character. Nothing is quoted, as in Common Voice's tables: a
 * quotation mark is a character like any other.
 */
export async function* readTabRows(path: string, options: TableOptions): AsyncGenerator<TableRows> {
  const { separator } = options;
  let names = options.names && [...options.names];
  for await (const lines of readLines(path)) {
    const rows: Row[] = [];
    for (const { number, text, problem } of lines) {
      if (problem && !names) throw new UserError(`${path}:${number} ${problem}`);
      if (problem) rows.push({ line: number, values: {}, problem });
      else if (!text.trim()) continue;
      else if (names) rows.push(toRow(names, text.split(separator), number));
      else names = text.split(separator).map((name) => name.trim());
    }
    if (names) yield { names, rows };
  }
}

/**
 * Rows below a first line of names, divided by commas or another character, quoted where needed (RFC 4180). Where a quotation mark is missing
 * nobody knows where the next row begins: that row is the last one, with its problem.
 */
export async function* readCommaRows(path: string, options: TableOptions): AsyncGenerator<TableRows> {
  let names = options.names && [...options.names];
  let rows: Row[] = [];
  let lastLine = 0;
  let failure: Error | undefined;
  const { parse } = await import("csv-parse");
  const parser = parse({
    bom: true,
    delimiter: options.separator,
    ltrim: true,
    relax_column_count: true,
    max_record_size: MAX_ROW,
    // Not read from the parser's stream: one that fails forgets the good rows that it holds.
    on_record: (record: string[], { lines }) => {
      const line = lastLine + 1;
      lastLine = lines;
      if (record.length === 1 && !record[0]?.trim()) return null;
      if (names) rows.push(checkText(toRow(names, record, line), record, path));
      else names = record.map((name) => name.trim());
      return null;
    },
  });
  parser.on("error", (error) => {
    failure = error;
  });
  parser.resume();
  const file = createReadStream(path);
  try {
    for await (const block of file) {
      await new Promise((done) => parser.write(block, done));
      if (failure) break;
      if (names) yield { names, rows };
      rows = [];
    }
  } catch (error) {
    throw unreadable(path, "a CSV file", error);
  }
  if (!failure) await new Promise((done) => parser.end(done));
  if (failure && !names) throw new UserError(`${path}:1 must be CSV, but is not: ${failure.message}.`);
  if (failure)
    rows.push({
      line: lastLine + 1,
      values: {},
      problem: `must be CSV, but neither this row nor what follows can be read: ${failure.message}.`,
    });
  if (names) yield { names, rows };
}

/** The parser puts a replacement character where bytes are no UTF-8. */
function checkText(row: Row, fields: readonly string[], path: string): Row {
  for (const field of fields) {
    if (field.includes("\ufffd")) return { ...row, problem: notUtf8(path, new Uint8Array(0)) };
    if (field.includes("\0")) return { ...row, problem: "must be text, but holds a NUL character." };
  }
  return row;
}

function toRow(names: readonly string[], fields: readonly string[], line: number): Row {
  if (fields.length !== names.length)
    return {
      line,
      values: {},
      problem: `must have ${names.length} fields as its first line has, but has ${fields.length}.`,
    };
  const values: Row["values"] = {};
  for (const [i, name] of names.entries()) if (fields[i]) values[name] = fields[i];
  return { line, values };
}
