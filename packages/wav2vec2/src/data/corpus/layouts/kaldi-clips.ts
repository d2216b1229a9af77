import { existsSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { readAudioInfo } from "../../../audio/audio-file.js";
import { shellName } from "../../../files/shell-name.js";
import type { Clip, FindOptions, FoundClips } from "../corpus-clip.js";
import type { ProblemKind } from "../corpus-problem.js";
import { collapseSpaces, invalidText, readTextFile } from "../corpus-text.js";
import type { EventLoopTurns } from "../corpus-turns.js";
import { stemOf } from "./audio-names.js";
import { decodedFile } from "./kaldi-command.js";

const RECORDINGS = "wav.scp";
/** Directories above a data directory that paths may be relative to: `data/train` lies two below the recipe's. */
const LEVELS_ABOVE = 4;

/** Whether a directory is one of Kaldi's and ESPnet's data directories. */
export function isKaldiDirectory(directory: string): boolean {
  return existsSync(join(directory, RECORDINGS));
}

interface Entry {
  line: number;
  rest: string;
}

/**
 * Lists a Kaldi data directory (https://kaldi-asr.org/doc/data_prep.html): `wav.scp`, and where there are some `segments`,
 * `text` and `utt2spk`. What is wrong with it short of its audio is a problem.
 */
export async function findKaldiClips(
  directory: string,
  { transcripts }: FindOptions,
  turns: EventLoopTurns,
): Promise<FoundClips> {
  const found: FoundClips = { clips: [], problems: [] };
  const file = (name: string) => join(directory, name);
  const read = (name: string) => (existsSync(file(name)) ? readTable(file(name)) : undefined);
  const recordings = readTable(file(RECORDINGS));
  const segments = read("segments");
  const texts = transcripts === "required" ? read("text") : undefined;
  const speakers = read("utt2spk");
  const audios = new Map<string, RecordedIn>();
  for (const [id, { line, rest }] of segments ?? recordings) {
    if (turns.due) await turns.next();
    const name = segments ? "segments" : RECORDINGS;
    const where = `${file(name)}:${line}`;
    const problem = (kind: ProblemKind, message: string) =>
      found.problems.push({ id, file: file(name), kind, message: `${where}: utterance ${id} ${message}` });
    const [recording = "", start, end] = segments ? rest.split(/\s+/) : [id];
    const audio = audios.get(recording) ?? (await audioOf(recordings.get(recording)?.rest, directory));
    audios.set(recording, audio);
    if ("fault" in audio) {
      problem("manifest-row", `must have an audio file in ${RECORDINGS}, but ${recording} ${audio.fault}`);
      continue;
    }
    const [from, to] = [Number(start ?? 0), end === undefined ? undefined : Number(end)];
    if (!(from >= 0) || (to !== undefined && to !== -1 && !(to > from))) {
      problem("segment", `must begin at seconds, 0 or more, and end later, but has ${start} and ${end}.`);
      continue;
    }
    const clip: Clip = {
      id,
      path: audio.path,
      text: undefined,
      split: undefined,
      speaker: speakers?.get(id)?.rest,
      chapter: undefined,
      start: from || undefined,
      end: to === -1 ? undefined : to, // -1 is the file's end
      columns: undefined,
      where,
    };
    found.clips.push(clip);
    if (transcripts === "none") continue;
    const text = collapseSpaces(texts?.get(id)?.rest ?? "");
    const invalid = invalidText(text);
    if (invalid) problem("invalid-text", `has a transcript that ${invalid}`);
    else if (text) clip.text = text;
    else if (texts?.has(id))
      problem("transcript-without-text", "must have a transcript, but has only an id.");
    else problem("audio-without-transcript", `must have a transcript, but ${file("text")} has none.`);
  }
  const known = segments ?? recordings;
  for (const [id, { line }] of texts ?? [])
    if (!known.has(id))
      found.problems.push({
        id,
        file: file("text"),
        kind: "transcript-without-audio",
        message: `${file("text")}:${line}: utterance ${id} must have audio, but has none.`,
      });
  return found;
}

/** Lines of a key, a space and the rest. */
function readTable(path: string): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const [index, line] of readTextFile(path, "a table")
    .split(/\r\n|\n|\r/)
    .entries()) {
    const [, key, rest = ""] = /^\s*(\S+)\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && !entries.has(key)) entries.set(key, { line: index + 1, rest });
  }
  return entries;
}

/** The file of a recording, or why there is none, as the end of a sentence. */
type RecordedIn = { path: string } | { fault: string };

/** The file of a recording, also where a command only decodes it: `flac -c -d -s a.flac |`. */
async function audioOf(given: string | undefined, directory: string): Promise<RecordedIn> {
  if (!given) return { fault: "has none." };
  if (/\.ark:\d+$/.test(given))
    return { fault: `lies in a Kaldi archive. ${inDirectory(directory, FROM_ARCHIVE)}` };
  if (!given.endsWith("|")) return { path: locate(given, directory) };
  const decoded = decodedFile(given);
  if (decoded === undefined) return { fault: `has a command. ${inDirectory(directory, FROM_COMMANDS)}` };
  const path = locate(decoded.file, directory);
  if (decoded.channel === undefined && decoded.rate === undefined) return { path };
  const info = await readAudioInfo(path).catch(() => undefined); // of what cannot be read the index of lengths tells more
  if (info && decoded.rate !== undefined && decoded.rate < info.sampleRate)
    return {
      fault: `is brought from ${info.sampleRate} to ${decoded.rate} Hz by a command. ${inDirectory(directory, FROM_COMMANDS)}`,
    };
  if (info === undefined || decoded.channel === undefined || info.channels === 1) return { path };
  const output = shellName(`${stemOf(path)}-${decoded.channel}.wav`);
  const command = path.endsWith(".sph")
    ? `sph2pipe -f wav -p -c ${decoded.channel} ${shellName(path)} ${output}`
    : `sox ${shellName(path)} ${output} remix ${decoded.channel}`;
  return { fault: `takes one of the ${info.channels} channels of ${path}. Make a file of it: ${command}` };
}

const FROM_ARCHIVE = `python3 -c "import kaldiio, soundfile, sys; d = sys.argv[1]; [soundfile.write(f'{d}/{k}.wav', a, r) for k, (r, a) in kaldiio.load_scp(f'{d}/wav.scp').items()]" "$D"`;
const FROM_COMMANDS = `while read -r id command; do case "$command" in (*\\|) sh -c "\${command%|}" < /dev/null > "$D/$id.wav" ;; esac; done < "$D/wav.scp"`;

/**
 * Files are made in the data directory, with the names of the recordings; `wav.scp` has to name them then. What it names now is
 * relative to where the recipe is run, as the command is.
 */
function inDirectory(directory: string, command: string): string {
  return `Make files of all that you trust, and name them in ${RECORDINGS}: (D=${shellName(directory)}; ${command})`;
}

/** Paths are relative to where a recipe is run, which is a directory above the data. */
function locate(audio: string, directory: string): string {
  if (isAbsolute(audio)) return audio;
  const places = [".", directory];
  for (let above = 0; above < LEVELS_ABOVE; above++) places.push(dirname(resolve(places.at(-1)!)));
  return places.map((place) => join(place, audio)).find((path) => existsSync(path)) ?? join(directory, audio);
}
