import { dirname, extname, relative, resolve } from "node:path";
import { PATH, requireArguments, UTTERANCES } from "../../../argument-kinds.js";
import { ConfigurationError } from "../../../errors.js";
import { writeFileAtomic } from "../../../files/atomic/atomic-file.js";
import type { Utterance } from "../../utterance.js";
import { isOutside } from "../corpus-directory.js";
import { MANIFEST_ENDINGS } from "./manifest.js";
import { writeFairseq } from "./manifest-fairseq.js";

/** In this order in a table. */
const COLUMNS = ["id", "audio", "start", "end", "text", "split", "speaker", "chapter", "samples"] as const;

/**
 * Writes utterances as a manifest, complete or as it was before: `.jsonl` and `.csv` with all that they hold, `.tsv`
 * in fairseq's form with `.wrd` and `.ltr` beside it. What utterances have in `columns` is written too, but for fairseq's form. Audio files below the manifest are named relative to it, so
 * that both can move together.
 * @throws ConfigurationError on another ending; UserError where fairseq's form has no place for an utterance
 */
export async function writeManifest(path: string, utterances: readonly Utterance[]): Promise<void> {
  requireArguments("writeManifest", { path: [path, PATH], utterances: [utterances, UTTERANCES] });
  const ending = extname(path).toLowerCase();
  if (!MANIFEST_ENDINGS.includes(ending))
    throw new ConfigurationError(
      `manifest must end in ${MANIFEST_ENDINGS.join(", ")}, but is ${JSON.stringify(path)}.`,
    );
  if (ending === ".tsv") return writeFairseq(path, utterances);
  const rows = utterances.map((utterance) => toRow(utterance, path));
  if (ending === ".jsonl")
    return writeFileAtomic(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const names = [...new Set([...COLUMNS, ...rows.flatMap((row) => Object.keys(row))])];
  const columns = names.filter(
    (column) => column === "audio" || rows.some((row) => row[column] !== undefined),
  );
  const lines = rows.map((row) => columns.map((column) => quote(String(row[column] ?? ""))).join(","));
  return writeFileAtomic(path, [columns.join(","), ...lines, ""].join("\n"));
}

function toRow(utterance: Utterance, manifest: string): Record<string, string | number | undefined> {
  const { id, path, start, end, text, split, speaker, chapter, samples, columns } = utterance;
  const [directory, file] = [resolve(dirname(manifest)), resolve(path)];
  return {
    ...columns,
    id,
    audio: isOutside(directory, file) ? file : relative(directory, file),
    start,
    end,
    text,
    split,
    speaker,
    chapter,
    samples,
  };
}

/** https://www.rfc-editor.org/rfc/rfc4180#section-2 */
function quote(field: string): string {
  return /[",\r\n]/.test(field) || field.trim() !== field ? `"${field.replaceAll('"', '""')}"` : field;
}
