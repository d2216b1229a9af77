import { execFile } from "node:child_process";
import { readdir, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { UserError } from "../../errors.js";
import { claimPartial, claimPath } from "../../files/atomic/claimed-path.js";
import { makeDirectory } from "../../files/make-directory.js";
import type { ArchiveFiles } from "./archive.js";
import type { CorpusPart } from "./parts.js";

/** What a process on another computer that shares the directory left counts as abandoned after so many milliseconds. */
const QUIET_AFTER = 60_000;

/**
 * A directory that parts of LibriSpeech lie in as `LibriSpeech/<part>`. A part is there whole or not at all, for it is
 * unpacked elsewhere and moved in at the end.
 */
export class CorpusPlace {
  private constructor(
    /** The directory as the user gave it. */
    readonly root: string,
    /** `LibriSpeech` itself, links resolved. */
    private readonly corpus: string,
    /** Where work in progress lies, hidden, on the same disk as `corpus`. */
    readonly workshop: string,
  ) {}

  static async open(root: string): Promise<CorpusPlace> {
    await makeDirectory(join(root, "LibriSpeech"));
    const corpus = await realpath(join(root, "LibriSpeech"));
    const workshop = dirname(corpus);
    if ((await stat(corpus)).dev !== (await stat(workshop)).dev) {
      throw new UserError(
        `${corpus} must lie on the same disk as ${workshop}, but is a disk of its own. Give another directory with --to.`,
      );
    }
    return new CorpusPlace(root, corpus, workshop);
  }

  path({ name }: CorpusPart): string {
    return join(this.root, "LibriSpeech", name);
  }

  /** Whether a part is there already, whole because it came in whole. */
  async has({ name }: CorpusPart): Promise<boolean> {
    return (await readdir(join(this.corpus, name)).catch(() => [])).length > 0;
  }

  /** Where an archive stays with --keep-archives. */
  archive({ name }: CorpusPart): string {
    return join(this.root, `${name}.tar.gz`);
  }

  /** Names for the work on a part that nobody else uses; what ended processes left of it is taken over or removed. */
  async claim(part: CorpusPart): Promise<ArchiveFiles> {
    const unpacking = await claimPath(this.#hidden(part), "unpacking", QUIET_AFTER);
    for (const path of unpacking.abandoned) await rm(path, { recursive: true, force: true });
    const kept = await stat(this.archive(part)).catch(() => undefined);
    if (kept !== undefined && kept.size !== part.bytes) {
      throw new UserError(
        `${this.archive(part)} must have ${part.bytes} bytes, but has ${kept.size}. Remove or rename it, then it is downloaded.`,
      );
    }
    const archive =
      kept === undefined
        ? await claimPartial(`${this.#hidden(part)}.tar.gz`, QUIET_AFTER)
        : this.archive(part);
    return { archive, kept: kept !== undefined, unpacked: unpacking.own };
  }

  /** Removes what is left of the work on a part that is there. */
  async tidy(part: CorpusPart): Promise<void> {
    for (const [path, kind] of [
      [this.#hidden(part), "unpacking"],
      [`${this.#hidden(part)}.tar.gz`, "incomplete"],
    ] as const) {
      const { abandoned } = await claimPath(path, kind, QUIET_AFTER);
      for (const left of abandoned) await rm(left, { recursive: true, force: true });
    }
  }

  /**
   * Moves an unpacked part and the corpus's own texts (SPEAKERS.TXT and others) in; its archive stays as
   * `<root>/<part>.tar.gz` or goes.
   * @throws UserError where the archive held no such part
   */
  async moveIn(part: CorpusPart, files: ArchiveFiles, keepArchive: boolean): Promise<void> {
    try {
      await this.#moveIn(part, files, keepArchive);
    } finally {
      await rm(files.unpacked, { recursive: true, force: true });
    }
    if (!keepArchive && !files.kept) await rm(files.archive, { force: true });
  }

  async #moveIn(part: CorpusPart, files: ArchiveFiles, keepArchive: boolean): Promise<void> {
    const unpacked = join(files.unpacked, "LibriSpeech");
    const entries = await readdir(unpacked, { withFileTypes: true });
    if (!entries.some((entry) => entry.name === part.name && entry.isDirectory())) {
      throw new UserError(
        `The archive of ${part.name} must hold LibriSpeech/${part.name}/, but holds ${entries.map(({ name }) => name).join(", ")}.`,
      );
    }
    await flush(unpacked);
    if (keepArchive && !files.kept) await rename(files.archive, this.archive(part));
    for (const entry of entries.filter((each) => each.isFile())) {
      await keepLonger(join(unpacked, entry.name), join(this.corpus, entry.name));
    }
    await rename(join(unpacked, part.name), join(this.corpus, part.name)).catch(
      (error: NodeJS.ErrnoException) => {
        // Another process was first; its part is as whole.
        if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
      },
    );
  }

  #hidden({ name }: CorpusPart): string {
    return join(this.workshop, `.${name}`);
  }
}

/** All parts bring these texts; where they differ, the longer one knows more speakers. */
async function keepLonger(from: string, to: string): Promise<void> {
  const present = await stat(to).catch(() => undefined);
  if (present === undefined || present.size < (await stat(from)).size) await rename(from, to);
}

/**
 * Has the files written to the disk before the archive goes, so that a power cut does not leave empty ones. One system
 * call for all, which only Linux has and Node has not; elsewhere the system writes them when it likes.
 */
async function flush(directory: string): Promise<void> {
  if (process.platform === "linux") await promisify(execFile)("sync", ["-f", directory]).catch(() => {});
}
