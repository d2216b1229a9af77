import { UserError } from "../../errors.js";

/**
 * @param expected what it should be, for messages
 * @returns undefined where there is no such file
 * @throws UserError where the server does not give it
 */
export async function readTextFile(path: string, expected: string): Promise<string | undefined> {
  const refused = (reason: string, cause?: unknown) =>
    new UserError(`${path} must be ${expected}, but ${reason}.`, { code: "ERR_FILE_UNREADABLE", cause });
  const response = await fetch(path).catch((error: Error) => {
    throw refused(`cannot be reached: ${error.message}`, error);
  });
  if (response.status === 404) return undefined;
  if (!response.ok) throw refused(`the server answers ${response.status}`);
  return await response.text();
}

/** @throws UserError always: a page has no files to write */
export async function writeFileAtomic(path: string, _contents: string | Uint8Array): Promise<void> {
  throw new UserError(`${path} must be written by a program in Node.js, but this is a page.`);
}
