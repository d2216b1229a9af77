import { createHash } from "node:crypto";
import type { ClipSource } from "../../audio/sources/clip-source.js";
import { fileNameOf } from "../../files/file-name.js";

/** A clip that a run shows. */
export interface Clip extends ClipSource {
  id: string;
}

/** Where a run directory has a clip, such as `clips/1-2-3-8d0fc3a1.flac`: another for each other stretch of audio. */
export function clipPath({ id, path, start, end }: Clip): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([id, path, start, end]))
    .digest("hex");
  return `clips/${fileNameOf(id)}-${hash.slice(0, 8)}.flac`;
}

/** Whether a path is of the form that {@link clipPath} gives: a line of a foreign run could name any file of this machine. */
export function isClipPath(path: string): boolean {
  return /^clips\/[^/\\]+\.flac$/.test(path);
}
