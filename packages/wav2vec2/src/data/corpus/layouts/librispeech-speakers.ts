import { existsSync } from "node:fs";
import { join } from "node:path";
import { readTextFile } from "../corpus-text.js";

/** What LibriSpeech's SPEAKERS.TXT says of a reader. */
export interface SpeakerDetails {
  sex?: "F" | "M";
  name?: string;
}

/**
 * Reads SPEAKERS.TXT, `id | sex | subset | minutes | name` a line and comments behind `;`, from a corpus's directory
 * or `LibriSpeech/` in it.
 * @returns the readers by id; none where there is no such file
 * @throws UserError where it cannot be read or is not UTF-8
 */
export function readSpeakers(root: string): Map<string, SpeakerDetails> {
  const speakers = new Map<string, SpeakerDetails>();
  const candidates = [join(root, "LibriSpeech", "SPEAKERS.TXT"), join(root, "SPEAKERS.TXT")];
  const path = candidates.find((candidate) => existsSync(candidate));
  if (path === undefined) return speakers;
  for (const line of readTextFile(path, "a list of speakers").split(/\r?\n/)) {
    if (line.startsWith(";")) continue;
    const [id = "", sex, , , ...rest] = line.split("|").map((field) => field.trim());
    if (id === "") continue;
    const name = rest.join("|"); // reader 60 is |CBW|Simon
    speakers.set(id, { ...(sex === "F" || sex === "M" ? { sex } : {}), ...(name ? { name } : {}) });
  }
  return speakers;
}
