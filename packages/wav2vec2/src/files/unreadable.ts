import { dirname } from "#platform/paths";
import { UserError } from "../errors.js";
import { shellWord } from "./shell-name.js";

const REASONS: Record<string, string> = {
  ENOENT: "does not exist",
  ENOTDIR: "does not exist",
  EISDIR: "is a directory",
  EACCES: "may not be read by this user",
  EPERM: "may not be read by this user",
};

/** How names of files become UTF-8. */
export function renameAdvice(directory: string): string {
  return `Rename what lies there, from the encoding that it is in (often latin1): convmv -f latin1 -t utf8 -r --notest ${shellWord(directory)}`;
}

/** The UserError for a file or directory that the system would not read. */
export function unreadable(path: string, expected: string, error: unknown): UserError {
  const { code = "", message } = error as { code?: string; message: string };
  if (code === "ENOENT" && path.includes("\ufffd"))
    return new UserError(`${path} must have a name in UTF-8, but has not. ${renameAdvice(dirname(path))}`, {
      code: "ERR_FILE_NOT_FOUND",
    });
  const isMissing = code === "ENOENT" || code === "ENOTDIR";
  return new UserError(`${path} must be ${expected}, but ${REASONS[code] ?? `cannot be read: ${message}`}.`, {
    code: isMissing ? "ERR_FILE_NOT_FOUND" : "ERR_FILE_UNREADABLE",
  });
}
