import { access, constants } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { UserError } from "../errors.js";

/**
 * Whether a result can be written: said before hours of work, not behind them.
 *
 * @param corpus what is read, which must not be overwritten
 * @throws UserError where it cannot
 */
export async function requireWritable(file: string, corpus: string): Promise<void> {
  if (resolve(file) === resolve(corpus))
    throw new UserError(`${file} must be another file than the corpus that is read. Give another name.`);
  const directory = dirname(resolve(file));
  await access(directory, constants.W_OK).catch(() => {
    throw new UserError(
      `${directory} must be a directory to write ${file} to, but it is missing or read-only.`,
    );
  });
}
