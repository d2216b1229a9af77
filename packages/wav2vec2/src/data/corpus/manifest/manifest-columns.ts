import { UserError } from "../../../errors.js";

/**
 * What a column of a manifest can hold, under this project's name first. The others are Hugging Face's `audiofolder`
 * (https://huggingface.co/docs/datasets/audio_dataset), NeMo's, Common Voice's,
 * DeepSpeech's and SpeechBrain's.
 */
const COLUMNS = {
  audio: ["audio", "audio_filepath", "file_name", "path", "wav_filename", "wav"],
  text: ["text", "sentence", "transcription", "transcript", "wrd"],
  id: ["id", "ID"],
  speaker: ["speaker", "client_id", "spk_id"],
  chapter: ["chapter"],
  split: ["split"],
  start: ["start"],
  end: ["end"],
  /** NeMo's form of a part of a file: `offset` and `duration`; a duration alone is not trusted over the header. */
  offset: ["offset"],
  duration: ["duration"],
} as const;

/**
 * Names that count where none of the others is there, the first that is: those of Common Voice's first and spontaneous
 * releases, VoxPopuli's, fairseq's for translation, and what people call such columns themselves.
 */
const OTHERWISE: Partial<Record<Column, readonly string[]>> = {
  audio: ["audio_file", "filename", "audio_path", "wav_path", "file_path", "filepath", "file"],
  text: ["normalized_text", "raw_text", "words", "tgt_text", "utterance"],
  speaker: ["speaker_id", "spk"],
  start: ["start_time"],
  end: ["end_time"],
};

export type Column = keyof typeof COLUMNS;

/** Which of a manifest's own column names holds what. */
export type ColumnNames = Partial<Record<Column, string>>;

const NAMED = Object.entries(COLUMNS) as [Column, readonly string[]][];

/** Whether names of columns are a manifest's, as opposed to some other table's. */
export function hasAudioColumn(names: readonly string[]): boolean {
  return COLUMNS.audio.some((name) => names.includes(name)) || audioOf(names) !== undefined;
}

/** The column for the audio in a table that has none of the usual names. */
function audioOf(names: readonly string[]): string | undefined {
  if (isVoxPopuli(names)) return "id";
  const isKnown = [COLUMNS.text, OTHERWISE.text!].flat().some((name) => names.includes(name));
  return isKnown ? OTHERWISE.audio!.find((name) => names.includes(name)) : undefined;
}

/** Whether a column of this name would make a row a part of its file. */
export function isPartColumn(name: string): boolean {
  const names = (["start", "end", "offset"] as const).flatMap((column) => [
    ...COLUMNS[column],
    ...(OTHERWISE[column] ?? []),
  ]);
  return names.includes(name);
}

/** VoxPopuli's tables name clips by their ids alone: https://github.com/facebookresearch/voxpopuli */
function isVoxPopuli(names: readonly string[]): boolean {
  return ["id", "normalized_text", "speaker_id"].every((name) => names.includes(name));
}

/**
 * @param names the columns that are there
 * @param where file and line, for messages
 * @throws UserError where there is no column for the audio, or where two of the other projects' names are there and
 * it is not clear which one is meant
 */
export function resolveColumns(names: readonly string[], where: string): ColumnNames {
  const columns: ColumnNames = {};
  for (const [column, known] of NAMED) {
    const found = known.filter((name) => names.includes(name));
    if (found.length > 1 && found[0] !== column)
      throw new UserError(
        `${where} must have one column for ${column}, but has ${found.join(" and ")}. ` +
          `Name the right one ${JSON.stringify(column)}.`,
      );
    const name =
      found[0] ??
      (column === "audio" ? audioOf(names) : OTHERWISE[column]?.find((other) => names.includes(other)));
    if (name !== undefined) columns[column] = name;
  }
  if (columns.start !== undefined && columns.end === undefined && names.includes("stop"))
    throw new UserError(
      `${where} must tell parts of files in seconds, but has columns start and stop, which SpeechBrain counts in samples. ` +
        "Divide them by the sample rate and call them start and end.",
    );
  if (columns.audio === undefined) throw missingColumn("audio", names, where);
  return columns;
}

export function missingColumn(column: "audio" | "text", names: readonly string[], where: string): UserError {
  const known = NAMED.map(([name, [, ...others]]) =>
    others.length > 0 ? `${name} (or ${others.join(", ")})` : name,
  );
  return new UserError(
    `${where} must have a column ${COLUMNS[column].join(" or ")}, but has ${names.join(", ") || "none"}. ` +
      `Known columns: ${known.join(", ")}.`,
  );
}
