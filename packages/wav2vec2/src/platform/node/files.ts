import { readFile } from "node:fs/promises";
import { unreadable } from "../../files/unreadable.js";

export { writeFileAtomic } from "../../files/atomic/atomic-file.js";

/**
 * @param expected what it should be, for messages
 * @returns undefined where there is no such file
 * @throws UserError where it cannot be read
 */
export async function readTextFile(path: string, expected: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unreadable(path, expected, error);
  }
}
