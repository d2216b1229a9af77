import { createHash } from "node:crypto";
import { open, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { writeAll } from "@wav2vec2/libtorch/file-writes";
import { removeDirectoryAtomic, writeDirectoryAtomic } from "../../files/atomic/atomic-directory.js";
import { freeBytes } from "../../files/free-bytes.js";
import { makeDirectory } from "../../files/make-directory.js";
import { type FileRecord, MANIFEST, manifestText } from "./manifest.js";

/** A file of a checkpoint: its parts in order are its bytes. */
export interface CheckpointFile {
  name: string;
  parts: readonly Uint8Array[];
}

/** A checkpoint that is to be written. */
export interface CheckpointJob {
  /** `checkpoints/step-N`. */
  path: string;
  files: readonly CheckpointFile[];
  /** How many checkpoints to keep, this one among them. */
  keep: number;
}

/** What became of it. */
export interface WriteOutcome {
  fault?: WriteFault;
  /** Why an old checkpoint that is not to be kept is still there. */
  leftover?: string;
}

/** Why a checkpoint was not written; errors lose their class between threads. */
export interface WriteFault {
  /** The system's, `ENOSPC` for example. */
  code: string | undefined;
  message: string;
  /** What the checkpoint takes. */
  neededBytes: number;
  /** What is left on the disk; undefined where it cannot be told. */
  freeBytes: number | undefined;
}

const DIRECTORY = /^step-(\d+)$/;

/** Steps of the checkpoints in a directory of them, oldest first. */
export async function stepsIn(directory: string): Promise<number[]> {
  const names = await readdir(directory).catch(() => []);
  return names
    .flatMap((name) => DIRECTORY.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * Writes a checkpoint, complete or absent whenever the process is killed or the power goes, and removes the older ones
 * that are not to be kept once it is on the disk.
 *
 * Does not throw.
 */
export async function writeCheckpoint({ path, files, keep }: CheckpointJob): Promise<WriteOutcome> {
  const neededBytes = files.reduce((sum, file) => sum + sizeOf(file), 0);
  const parent = dirname(path);
  try {
    await makeDirectory(parent);
    // Before anything is written: a disk that is full for a while would take the run's metrics with it.
    const free = await freeBytes(parent);
    if (free !== undefined && free < neededBytes) {
      throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    }
    await writeDirectoryAtomic(path, async (temporary) => {
      const records: Record<string, FileRecord> = {};
      for (const file of files) records[file.name] = await writeFile(temporary, file);
      await writeFile(temporary, { name: MANIFEST, parts: [Buffer.from(manifestText(records))] });
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { fault: { code, message, neededBytes, freeBytes: await freeBytes(parent) } };
  }
  try {
    const step = Number(DIRECTORY.exec(basename(path))?.[1]);
    // Where a newer one is there, it is none of what this run has written.
    const old = (await stepsIn(parent)).filter((other) => other <= step).slice(0, -keep);
    for (const other of old) await removeDirectoryAtomic(join(parent, `step-${other}`));
    return {};
  } catch (error) {
    return { leftover: (error as Error).message };
  }
}

function sizeOf({ parts }: CheckpointFile): number {
  return parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

const CHUNK_BYTES = 8 * 2 ** 20;
/** What the system may hold back before it must write: else it would write all at once at the end, and others wait. */
const UNFLUSHED_BYTES = 64 * 2 ** 20;

/** Writes a file, flushed to the disk. */
async function writeFile(directory: string, { name, parts }: CheckpointFile): Promise<FileRecord> {
  const hash = createHash("sha256");
  await using file = await open(join(directory, name), "wx");
  let [bytes, unflushed] = [0, 0];
  for (const part of parts) {
    for (let start = 0; start < part.byteLength; start += CHUNK_BYTES) {
      const chunk = part.subarray(start, start + CHUNK_BYTES);
      hash.update(chunk);
      await writeAll(file, chunk);
      bytes += chunk.byteLength;
      unflushed += chunk.byteLength;
      if (unflushed < UNFLUSHED_BYTES) continue;
      await file.datasync();
      unflushed = 0;
    }
  }
  await file.sync();
  return { bytes, sha256: hash.digest("hex") };
}
