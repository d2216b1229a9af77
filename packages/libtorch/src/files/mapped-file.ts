import { getSystemErrorMap } from "node:util";
import { checkString } from "../arguments.js";
import { native } from "../native.js";

/** A file that cannot be mapped; `code` is the system's, `ENOENT` for example. */
export class MappedFileError extends Error {
  override readonly name = "MappedFileError";
  readonly code: string;

  constructor(path: string, code: string, reason: string) {
    super(`${path} must be a regular file that can be mapped into memory, but is not: ${reason} (${code}).`);
    this.code = code;
  }
}

/**
 * A file as memory, there at once whatever its size: the system reads a page of it when it is looked at, and all
 * processes and threads that map the file share its pages. It is unmapped when the buffer is collected.
 *
 * The buffer is for reading: what is written into it stays in this process. Replace a mapped file by renaming another
 * over it. Where one is cut in place, the system ends every process that then looks at what is gone.
 *
 * @throws {MappedFileError} where it is missing, empty, not readable, or no regular file
 */
export function mapFile(path: string): ArrayBuffer {
  checkString("mapFile", "path", path);
  const mapped = native.mapFile(path);
  if (typeof mapped !== "number") return mapped;
  const [code, reason] = getSystemErrorMap().get(-mapped) ?? [];
  throw new MappedFileError(path, code ?? `error ${mapped}`, reason ?? "the system refuses");
}
