import { closeSync, openSync, readSync } from "node:fs";
import { extname, join } from "node:path";
import { isRecording, RECORDING_HEAD } from "../../../audio/audio-magic.js";
import { audioNames, isHidden, stemOf } from "./audio-names.js";

/** Endings of what lies beside recordings, which are not opened to see whether they are some themselves. */
const COMPANIONS = new Set(
  (
    "txt lab trn phn wrd stm ctm textgrid eaf srt vtt lrc csv tsv json jsonl xml html htm md yaml yml log pdf doc docx rtf jpg jpeg png " +
    "gz bz2 xz zip tar tgz 7z rar parquet arrow npy npz pt bin safetensors h5 hdf5 pkl py sh scp ark md5 sha1 sha256"
  )
    .split(" ")
    .map((ending) => `.${ending}`),
);

/** Files of one ending that are opened in vain before the others of it are taken for something else too. */
const MOST_IN_VAIN = 8;

/**
 * Names of the files that are recordings by their contents while their names have no ending of audio: without any, or with that
 * of a program of its own or of a download. A copy that lies beside its recording (`a.wav.bak`, `a.old`) is none.
 *
 * @param files names of the directory's files
 */
export function unnamedAudio(directory: string, files: readonly string[]): string[] {
  const named = new Set(audioNames(files).flatMap((name) => [name, stemOf(name)]));
  const isCopy = (name: string) => named.has(stemOf(name)) || named.has(name.replace(/~$/, ""));
  const inVain = new Map<string, number>();
  const found: string[] = [];
  const audio = new Set(audioNames(files));
  for (const name of files) {
    const ending = extname(name).toLowerCase();
    if (audio.has(name) || isHidden(name) || COMPANIONS.has(ending) || isCopy(name)) continue;
    const tried = inVain.get(ending) ?? 0;
    if (tried >= MOST_IN_VAIN) continue;
    if (isRecording(headOf(join(directory, name)))) found.push(name);
    else inVain.set(ending, tried + 1);
  }
  return found;
}

/** A file's first bytes; none where it cannot be read. */
function headOf(path: string): Uint8Array {
  try {
    const file = openSync(path, "r");
    try {
      const head = new Uint8Array(RECORDING_HEAD);
      return head.subarray(0, readSync(file, head));
    } finally {
      closeSync(file);
    }
  } catch {
    return new Uint8Array(0);
  }
}
