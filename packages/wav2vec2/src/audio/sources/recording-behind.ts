import { UserError } from "../../errors.js";
import { startsWith } from "../mp3/tags.js";
import { inputName } from "./source-names.js";

/** Of a kind of file, and the ending of a name that it has. */
interface Kind {
  name: string;
  ending: string;
}

const KINDS: readonly (Kind & { magic: string })[] = [
  { magic: "fLaC", name: "FLAC", ending: "flac" },
  { magic: "OggS", name: "Ogg", ending: "ogg" },
  { magic: "RIFF", name: "WAV", ending: "wav" },
  { magic: "RF64", name: "WAV", ending: "wav" },
];

/**
 * Files of several formats joined byte by byte: other programs read the first alone.
 *
 * @param bytes what stands behind a recording's end
 * @param at where that is in the file
 * @param ending of the names of files as the recording itself is
 * @throws UserError with the commands that take them apart, where another recording begins there
 */
export function refuseRecordingBehind(
  bytes: Uint8Array,
  at: number,
  { name, piped, ending }: { name: string; piped: boolean; ending: string },
): void {
  const kind = KINDS.find(({ magic }) => startsWith(bytes, magic));
  if (!kind) return;
  const input = inputName(name);
  const advice = piped
    ? "Send them one at a time."
    : `Take them apart: head -c ${at} ${input} > FIRST.${ending}; tail -c +${at + 1} ${input} > SECOND.${kind.ending}`;
  throw new UserError(
    `${name} must hold one recording, but behind it ${kind.ending === ending ? "another" : kind.name === "Ogg" ? "an" : "a"} ${kind.name} file begins, at byte ${at}. ${advice}`,
    { code: "ERR_AUDIO_FORMAT" },
  );
}
