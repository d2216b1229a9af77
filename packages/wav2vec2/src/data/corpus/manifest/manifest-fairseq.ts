import { existsSync } from "node:fs";
import { dirname, extname, join, relative, resolve, sep } from "node:path";
import { UserError } from "../../../errors.js";
import { writeFileAtomic } from "../../../files/atomic/atomic-file.js";
import type { Utterance } from "../../utterance.js";
import { isOutside } from "../corpus-directory.js";
import { collapseSpaces, type Line, readLines } from "../corpus-text.js";
import type { TableRows } from "./manifest-rows.js";

/**
 * Whether the first two lines of a file are those of fairseq's manifest: a directory alone, then
 * `relative/path<TAB>samples`
 * (https://github.com/facebookresearch/fairseq/blob/main/examples/wav2vec/wav2vec_manifest.py).
 */
export function isFairseq(first: string, second: string | undefined): boolean {
  return !first.includes("\t") && /^[^\t]+\t\d+$/.test(second ?? "");
}

/**
 * Reads fairseq's manifest, with transcripts from the `.wrd` or `.ltr` file beside it where there is one, line by line
 * the same utterances.
 * @throws UserError where that file has another number of lines, or the directory of the audio does not exist
 */
export async function* readFairseqRows(path: string, transcripts: boolean): AsyncGenerator<TableRows> {
  const labels = transcripts ? await readLabels(path) : undefined;
  const names = ["audio", "id", ...(labels ? ["text"] : [])];
  let root: string | undefined;
  let count = 0;
  for await (const lines of readLines(path)) {
    const rows: TableRows["rows"] = [];
    for (const { number, text, problem } of lines) {
      if (root === undefined) {
        root = resolve(dirname(path), text);
        if (!existsSync(root))
          throw new UserError(
            `${path}:1 must name the directory of the audio, but ${root} does not exist. Put the right one there.`,
          );
        continue;
      }
      if (!text.trim() && !problem) continue;
      const label = labels?.lines[count++];
      const [audio, samples, ...more] = text.split("\t");
      const wrong =
        problem ??
        (!audio || samples === undefined || !/^\d+$/.test(samples) || more.length > 0
          ? `must be <path><TAB><samples>, but is ${JSON.stringify(text.slice(0, 200))}.`
          : label?.problem && `has a transcript in ${labels?.file}:${label.number} that ${label.problem}`);
      if (wrong) rows.push({ line: number, values: {}, problem: wrong });
      else
        rows.push({
          line: number,
          values: { audio: join(root, audio!), id: withoutEnding(audio!), text: label?.text },
        });
    }
    yield { names, rows };
  }
  if (labels && labels.lines.length !== count)
    throw new UserError(
      `${labels.file} must have a line for each of the ${count} clips of ${path}, but has ${labels.lines.length}.`,
    );
}

async function readLabels(path: string): Promise<{ file: string; lines: Line[] } | undefined> {
  const stem = withoutEnding(path);
  const file = [`${stem}.wrd`, `${stem}.ltr`].find((candidate) => existsSync(candidate));
  if (file === undefined) return undefined;
  const lines: Line[] = [];
  for await (const block of readLines(file))
    for (const line of block)
      lines.push(file.endsWith(".ltr") ? { ...line, text: fromLetters(line.text) } : line);
  return { file, lines };
}

function withoutEnding(path: string): string {
  return path.slice(0, path.length - extname(path).length);
}

/** `H E L L O | W O R L D |` is HELLO WORLD. */
function fromLetters(line: string): string {
  return collapseSpaces(line.replaceAll(" ", "").replaceAll("|", " "));
}

/**
 * Writes fairseq's manifest and, where all utterances have transcripts, their words as `.wrd` and letters as `.ltr`
 * beside it. Ids, speakers and chapters have no place in it.
 * @throws UserError on a part of a file, which it has no place for either
 */
export async function writeFairseq(path: string, utterances: readonly Utterance[]): Promise<void> {
  const segment = utterances.find(({ start, end }) => start !== undefined || end !== undefined);
  if (segment)
    throw new UserError(
      `${path} must list whole files, but ${segment.id} is a part of ${segment.path}. Write a .jsonl or .csv file.`,
    );
  const paths = utterances.map((utterance) => resolve(utterance.path));
  const root = commonDirectory(paths);
  const lines = [root, ...utterances.map(({ samples }, i) => `${relative(root, paths[i]!)}\t${samples}`)];
  const stem = withoutEnding(path);
  const texts = utterances.map(({ text }) => text).filter((text) => text !== undefined);
  if (texts.length === utterances.length) {
    await writeFileAtomic(`${stem}.wrd`, texts.map((text) => `${text}\n`).join(""));
    await writeFileAtomic(`${stem}.ltr`, texts.map((text) => `${toLetters(text)}\n`).join(""));
  }
  await writeFileAtomic(path, `${lines.join("\n")}\n`);
}

function toLetters(text: string): string {
  return [...text.replaceAll(" ", "|"), "|"].join(" ");
}

function commonDirectory(paths: readonly string[]): string {
  let common = dirname(paths[0] ?? sep);
  for (const path of paths) while (isOutside(common, path)) common = dirname(common);
  return common;
}
