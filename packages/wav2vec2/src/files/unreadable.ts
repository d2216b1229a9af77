import { UserError } from "../errors.js";

const REASONS: Record<string, string> = {
  ENOENT: "does not exist",
  ENOTDIR: "does not exist",
  EISDIR: "is a directory",
  EACCES: "may not be read by this user",
  EPERM: "may not be read by this user",
};

/** The UserError for a file or directory that the system would not read. */
export function unreadable(path: string, expected: string, error: unknown): UserError {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return new UserError(`${path} must be ${expected}, but ${REASONS[code] ?? `cannot be read: ${message}`}.`);
}
