import { shellName } from "../../files/shell-name.js";

// What messages call a source that has no name of its own.
export const FILE = "the audio file";
export const STREAM = "the audio stream";
export const RECORDING = "the recording";
export const DATA_URL = "the data URL";

const UNNAMED = [FILE, STREAM, RECORDING, DATA_URL];

/** A file's name as it stands in a command that somebody copies from a message. */
export function inputName(name: string): string {
  return UNNAMED.includes(name) ? "INPUT" : shellName(name);
}
