import { access, constants, realpath, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { UserError } from "../errors.js";
import { isStream } from "../files/atomic/atomic-file.js";

/**
 * Whether a result can be written: said before hours of work, not behind them.
 *
 * @param input the file or directory that is read, which must not be overwritten
 * @throws UserError where it cannot
 */
export async function requireWritable(file: string, input: string): Promise<void> {
  if (resolve(file) === resolve(input))
    throw new UserError(`${file} must be another file than the one that is read. Give another name.`);
  const existing = await stat(file).catch(() => undefined);
  if (existing?.isDirectory())
    throw new UserError(
      `${file} must be a file to write to, but is a directory. Give the name of a file in it.`,
    );
  if (await isStream(file)) {
    await access(file, constants.W_OK).catch(() => {
      throw new UserError(`${file} must be something to write to, but this user may not.`);
    });
    return;
  }
  const directory = dirname(await realpath(file).catch(() => resolve(file)));
  await access(directory, constants.W_OK).catch(() => {
    throw new UserError(
      `${directory} must be a directory to write ${file} to, but it is missing or read-only. Name a file in another.`,
    );
  });
}
