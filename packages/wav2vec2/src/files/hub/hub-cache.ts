import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rename, stat, symlink } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { writeFileAtomic } from "../atomic/atomic-file.js";
import { makeDirectory } from "../make-directory.js";
import { chooseWeights, isIndex, shardsOf } from "./model-files.js";

/** A full commit hash, which names the same files for ever. */
export const COMMIT = /^[0-9a-f]{40}$/;

/**
 * A model's folder in the cache, in the layout of Python's huggingface_hub:
 * `blobs/<checksum>`, `snapshots/<commit>/<file>` as links to the blobs, `refs/<branch or tag>` with a commit in it
 * (https://huggingface.co/docs/huggingface_hub/guides/manage-cache).
 */
export class HubCache {
  readonly folder: string;

  constructor(
    cache: string,
    readonly id: string,
  ) {
    this.folder = join(cache, `models--${id.replace("/", "--")}`);
  }

  blob(hash: string): string {
    return join(this.folder, "blobs", hash);
  }

  snapshot(commit: string): string {
    return join(this.folder, "snapshots", commit);
  }

  /** The commit that a revision was when it was last downloaded. */
  async commitOf(revision: string): Promise<string | undefined> {
    if (COMMIT.test(revision)) return revision;
    const text = await readFile(join(this.folder, "refs", revision), "utf8").catch(() => "");
    return COMMIT.test(text.trim()) ? text.trim() : undefined;
  }

  /** Remembers a revision's commit; in a cache that may only be read it stays as it was. */
  async remember(revision: string, commit: string): Promise<void> {
    if ((await this.commitOf(revision)) === commit) return;
    const path = join(this.folder, "refs", revision);
    try {
      await makeDirectory(dirname(path));
      await writeFileAtomic(path, commit);
    } catch (error) {
      if (!isForbidden(error)) throw error;
    }
  }

  /** Whether huggingface_hub has asked for a file of a snapshot and heard that there is none. */
  isKnownAbsent(snapshot: string, path: string): boolean {
    return existsSync(join(this.folder, ".no_exist", basename(snapshot), path));
  }

  /** The directory of a revision that can be used without asking the Hub: with configuration and all weights. */
  async find(revision: string): Promise<string | undefined> {
    const commit = await this.commitOf(revision);
    if (commit === undefined) return undefined;
    const snapshot = this.snapshot(commit);
    const has = (path: string): boolean => existsSync(join(snapshot, path));
    const weights = chooseWeights(has);
    if (!has("config.json") || weights === undefined) return undefined;
    if (isIndex(weights)) {
      const path = join(snapshot, weights);
      try {
        if (!shardsOf(await readFile(path, "utf8"), path).every(has)) return undefined;
      } catch {
        return undefined; // a damaged index is no whole model: the Hub is asked for it again
      }
    }
    return snapshot;
  }

  /** Makes a blob appear in a snapshot. */
  async link(hash: string, commit: string, path: string): Promise<void> {
    const blob = this.blob(hash);
    const pointer = join(this.snapshot(commit), path);
    const temporary = `${pointer}.${randomBytes(4).toString("hex")}.tmp`;
    await makeDirectory(dirname(pointer));
    try {
      await symlink(relative(dirname(pointer), blob), temporary);
    } catch (error) {
      if (!["EPERM", "ENOSYS", "ENOTSUP"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
      // Windows without developer mode, exFAT: the file itself goes there, as huggingface_hub does it.
      await rename(blob, pointer);
      return;
    }
    await rename(temporary, pointer);
  }
}

/** Whether the system lets nobody, or not this user, write there. */
export function isForbidden(error: unknown): boolean {
  return ["EACCES", "EPERM", "EROFS"].includes((error as NodeJS.ErrnoException).code ?? "");
}

/** Whether a file (or what a link leads to) is there with this size. */
export async function hasSize(path: string, size: number): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.size === size;
}
