import { constants } from "node:fs";
import { type FileHandle, open, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, sep } from "node:path";
import { UserError } from "../../errors.js";

/**
 * The directory below which all runs lie. Whatever is read of them is opened here, so that nothing outside is: neither by
 * `..` or an absolute path in a request nor by a symbolic link that leads there.
 */
export class RunsRoot {
  /** @param path without symbolic links, as `realpath` gives it */
  private constructor(readonly path: string) {}

  /** @throws UserError where there is no such directory */
  static async at(path: string): Promise<RunsRoot> {
    const real = await realpath(path).catch(() => undefined);
    if (real !== undefined && (await stat(real)).isDirectory()) return new RunsRoot(real);
    throw new UserError(
      `${path} must be a directory with runs, but is ${real === undefined ? "missing" : "a file"}. Give the one that --output ` +
        "of your runs lies in.",
    );
  }

  /**
   * The file at a path below the root, open for reading.
   *
   * @returns undefined where there is no plain file, or where it lies outside
   */
  async open(path: string): Promise<FileHandle | undefined> {
    const real = await this.resolve(path);
    if (real === undefined) return undefined;
    try {
      // Nobody may have put a link there since, and a pipe must not keep the server waiting.
      const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      if ((await file.stat()).isFile()) return file;
      await file.close();
    } catch {
      // gone meanwhile, or not readable
    }
    return undefined;
  }

  /** The text of a file, at most its first megabyte; undefined where {@link open} gives nothing. */
  async text(path: string, most = 1 << 20): Promise<string | undefined> {
    await using file = await this.open(path);
    if (file === undefined) return undefined;
    const bytes = Buffer.alloc(Math.min(most, (await file.stat()).size));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    return bytes.toString("utf8", 0, bytesRead);
  }

  /** The absolute path behind one below the root; undefined where it is not there or leads outside. */
  async resolve(path: string): Promise<string | undefined> {
    if (isAbsolute(path) || path.split(/[/\\]/).includes("..")) return undefined;
    try {
      const real = await realpath(join(this.path, path));
      const isInside = real === this.path || real.startsWith(this.path === sep ? sep : this.path + sep);
      return isInside ? real : undefined;
    } catch {
      return undefined; // also a path with a null byte
    }
  }
}
