import { basename, extname, join } from "node:path";
import { UserError } from "../../../errors.js";
import type { CorpusProblem } from "../corpus-problem.js";
import { collapseSpaces, invalidText, readTextFile } from "../corpus-text.js";

/**
 * Names of files that hold the transcripts of many clips, a line each: LibriSpeech's and Libri-light's `84-121123.trans.txt`,
 * MLS's `transcripts.txt`, Kaldi's `text`, OpenSLR's `line_index.tsv`, LJSpeech's and M-AILABS's `metadata.csv` (divided by `|`), CSS10's
 * `transcript.txt`, VoxForge's `PROMPTS`, AISHELL's `aishell_transcript_v0.8.txt` and `content.txt`.
 */
const LISTS =
  /^(.*\.trans\.txt|transcripts?(\.txt|\.tsv)?|transcriptions?\.txt|text|line_index\.tsv|metadata\.csv|prompts(\.txt)?|content\.txt|aishell_transcript.*\.txt)$/i;
const AUDIO_ENDING = /\.(flac|wave?|mp3|og[ga]|opus|sph)$/i;

function isListName(name: string): boolean {
  return LISTS.test(name);
}

interface ListedText {
  text: string;
  line: number;
  used: boolean;
}

/** The transcripts of a directory's clips and of those below it, by the names of the audio files without their endings. */
export class TranscriptList {
  readonly #texts = new Map<string, ListedText>();
  /** Their ids by the composed form: names of files are often decomposed. */
  readonly #composed = new Map<string, string>();
  /** Ids that stand twice with different texts: which is meant, nobody knows. */
  readonly #twice = new Set<string>();
  #used = false;
  /** Whether each speaker's recordings lie in a directory of their own, as AISHELL's. */
  readonly isBySpeaker: boolean;

  /** @throws UserError where the file cannot be read or is not UTF-8 */
  constructor(readonly path: string) {
    const isAishell = /^(content|aishell_transcript.*)\.txt$/i.test(basename(path));
    this.isBySpeaker = isAishell;
    for (const [index, given] of readTextFile(path, "a list of transcripts")
      .split(/\r\n|\n|\r/)
      .entries()) {
      const [id, words] = divide(given.trim());
      const text = isAishell ? chinese(words) : words;
      if (!id) continue;
      const earlier = this.#texts.get(id);
      if (earlier && earlier.text !== text) this.#twice.add(id);
      if (!earlier) this.#texts.set(id, { text, line: index + 1, used: false });
      this.#composed.set(id.normalize("NFC"), id);
    }
  }

  /** The transcript of a clip, or what is wrong with it; undefined where the list has none. */
  take(name: string): { text: string } | { problem: string; kind: CorpusProblem["kind"] } | undefined {
    const id = this.#texts.has(name) ? name : this.#composed.get(name.normalize("NFC"));
    const listed = this.#texts.get(id ?? name);
    if (!listed) return undefined;
    this.#used = true;
    listed.used = true;
    const where = `${this.path}:${listed.line}: utterance ${name}`;
    if (this.#twice.has(id ?? name))
      return {
        kind: "duplicate-id",
        problem: `${where} must stand once, but stands again with another text.`,
      };
    const invalid = invalidText(listed.text);
    if (invalid) return { kind: "invalid-text", problem: `${where} ${invalid}` };
    if (listed.text) return { text: listed.text };
    return {
      kind: "transcript-without-text",
      problem: `${where} must have a transcript, but has only an id.`,
    };
  }

  /** Its lines that no clip was found for; none where it fits no clip at all, since then it is another kind of text. */
  unused(): CorpusProblem[] {
    if (!this.#used) return [];
    return [...this.#texts]
      .filter(([, { used }]) => !used)
      .map(([id, { line }]) => ({
        id,
        file: this.path,
        kind: "transcript-without-audio",
        message: `${this.path}:${line}: utterance ${id} must have audio below the list's directory, but has none.`,
      }));
  }
}

/**
 * `id|text|...`, `id<TAB>text` or `id text`; an id may be the path of the audio file. Where two texts are divided by `|` the
 * second is the first in words that are spoken: with numbers and abbreviations written out.
 */
function divide(line: string): [id: string, text: string] {
  const separator = ["\t", "|"].find((each) => line.includes(each));
  const [first = "", given = "", spoken = ""] =
    separator === undefined ? (/^(\S+)\s*(.*)$/.exec(line)?.slice(1) ?? []) : line.split(separator);
  const text = separator === "|" && /\p{L}/u.test(spoken) ? spoken : given;
  return [basename(first.trim()).replace(AUDIO_ENDING, ""), collapseSpaces(text)];
}

/** Without AISHELL's spaces between words, which nobody writes or speaks, and AISHELL-3's pronunciations between characters. */
export function chinese(text: string): string {
  const isSpelt = /^\S+ [a-z]+\d(\s|$)/.test(text);
  const characters = isSpelt ? text.replace(/(^| )[a-z]+\d(?= |$)/g, "") : text;
  return characters.replace(/(?<=\p{Script=Han}) +(?=\p{Script=Han})/gu, "").trim();
}

/** Reads the lists among the files of a directory. What cannot be read is a problem. */
export function readLists(
  directory: string,
  names: readonly string[],
  problems: CorpusProblem[],
): TranscriptList[] {
  const lists: TranscriptList[] = [];
  for (const name of names.filter(isListName)) {
    const file = join(directory, name);
    try {
      lists.push(new TranscriptList(file));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push({
        id: basename(name, extname(name)),
        file,
        kind: "unreadable-transcripts",
        message: error.message,
      });
    }
  }
  return lists;
}
