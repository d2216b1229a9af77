import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { nameAmong } from "../../../files/name-among.js";
import type { Clip } from "../corpus-clip.js";
import { listNames, orReport } from "../corpus-directory.js";
import { stemOf } from "./audio-names.js";
import { chinese } from "./transcript-lists.js";

/** Endings of a clip's own transcript, in the place of the audio's: also those of LibriTTS and of aligners; those of TIMIT are in capitals. */
const ENDINGS = [".txt", ".normalized.txt", ".lab", ".TXT", ".LAB"];

/** Behind a recording's whole name, in THCHS-30: words, syllables and phones in a line each. */
const THCHS = ".trn";

/** The line of a transcript that is what was said, without the spaces that THCHS-30 puts between words of Han characters. */
export function ownLine(text: string, file: string): string {
  if (!file.endsWith(THCHS)) return text;
  return chinese(text.split("\n", 1)[0]!);
}

/**
 * Files that hold the transcript of one clip: `clip.txt` beside `clip.wav`, or `txt/<speaker>/<clip>.txt` beside the directory of
 * VCTK's recordings, whose names may tell the microphone.
 */
export class TranscriptFiles {
  /** Directories that may hold the tree of texts beside that of recordings. */
  readonly #trees: readonly string[];
  #texts: { directory: string; names: ReadonlySet<string> } | undefined;

  constructor(directory: string) {
    this.#trees = [directory, dirname(directory)]
      .map((place) => join(place, "txt"))
      .filter((path) => existsSync(path));
  }

  /** The file of a clip's transcript; undefined where it has none. Sets the speaker where the layout tells it. */
  of(clip: Clip, names: ReadonlySet<string>): string | undefined {
    const directory = dirname(clip.path);
    const name = basename(clip.path);
    const stem = stemOf(name);
    const usual = [...ENDINGS.map((ending) => stem + ending), `${name}.txt`, `${name}${THCHS}`];
    const own = usual.map((each) => nameAmong(names, each)).find((each) => each !== undefined);
    if (own !== undefined) {
      if (isTimit(join(directory, own))) clip.speaker ??= basename(directory);
      return join(directory, own);
    }
    return this.#inTree(clip, basename(directory), stem);
  }

  #inTree(clip: Clip, speaker: string, stem: string): string | undefined {
    for (const tree of this.#trees) {
      const directory = join(tree, speaker);
      if (this.#texts?.directory !== directory) {
        const names = existsSync(directory) ? (orReport(listNames, directory, "", []) ?? []) : [];
        this.#texts = { directory, names: new Set(names) };
      }
      const file = [stem, stem.replace(/_mic\d$/, "")].find((each) => this.#texts?.names.has(`${each}.txt`));
      if (file === undefined) continue;
      clip.speaker ??= speaker;
      return join(directory, `${file}.txt`);
    }
    return undefined;
  }
}

/** Whether a transcript lies beside the times of its phones, as TIMIT's do. */
function isTimit(file: string): boolean {
  return [".PHN", ".phn"].some((ending) => existsSync(stemOf(file) + ending));
}

/** Without the first and last sample that TIMIT's transcripts begin with: `0 46797 She had your dark suit`. */
export function withoutTimes(text: string, file: string): string {
  return /^\d+ \d+ /.test(text) && isTimit(file) ? text.replace(/^\d+ \d+ /, "") : text;
}
