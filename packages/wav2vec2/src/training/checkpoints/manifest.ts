import { createHash } from "node:crypto";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../errors.js";
import { reasonOf } from "../../files/atomic/atomic-file.js";

/** The file that says what a checkpoint's other files must be; it is written last. */
export const MANIFEST = "manifest.json";

/** A file as it was written. */
export interface FileRecord {
  bytes: number;
  /** In hexadecimal digits. */
  sha256: string;
}

interface Manifest {
  files: Record<string, FileRecord>;
}

/** The text of a manifest over files by name. */
export function manifestText(files: Readonly<Record<string, FileRecord>>): string {
  return `${JSON.stringify({ files } satisfies Manifest, undefined, 1)}\n`;
}

/** Whether a directory is as its manifest says. */
export type Verdict = { whole: true } | { whole: false; fault: string; hasManifest: boolean };

/**
 * Reads every file of a directory and compares it with the manifest.
 *
 * @throws UserError where this user may not read it, which says nothing about it
 */
export async function verifyDirectory(directory: string): Promise<Verdict> {
  let text: string;
  try {
    text = await readFile(join(directory, MANIFEST), "utf8");
  } catch (error) {
    requirePermission(join(directory, MANIFEST), error);
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const fault = missing ? `${MANIFEST} is missing` : `${MANIFEST} cannot be read: ${reasonOf(error)}`;
    return { whole: false, fault, hasManifest: !missing };
  }
  const files = filesOf(text);
  const broken = (fault: string): Verdict => ({ whole: false, fault, hasManifest: true });
  if (!files) return broken(`${MANIFEST} is not one: its text is damaged`);
  for (const [name, expected] of Object.entries(files)) {
    const fault = await faultOf(join(directory, name), expected);
    if (fault !== undefined) return broken(`${name} ${fault}`);
  }
  return { whole: true };
}

function filesOf(text: string): Record<string, FileRecord> | undefined {
  try {
    const { files } = JSON.parse(text) as Manifest;
    const isRecord = ({ bytes, sha256 }: FileRecord) =>
      Number.isSafeInteger(bytes) && /^[0-9a-f]{64}$/.test(sha256);
    const names = Object.keys(files);
    const inside = names.every((name) => name !== "" && !/[/\\]|^\.\.?$/.test(name));
    return inside && names.length > 0 && Object.values(files).every(isRecord) ? files : undefined;
  } catch {
    return undefined;
  }
}

const CHUNK_BYTES = 8 * 2 ** 20;

/** What is wrong with a file, behind its name; undefined where it is as it was written. */
async function faultOf(path: string, expected: FileRecord): Promise<string | undefined> {
  try {
    await using file = await open(path, "r");
    const { size } = await file.stat();
    if (size !== expected.bytes) return `must have ${expected.bytes} bytes, but has ${size}`;
    if ((await hashOf(file)) === expected.sha256) return undefined;
    return "is not as it was written: its SHA-256 is another";
  } catch (error) {
    requirePermission(path, error);
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "is missing";
    return `cannot be read: ${reasonOf(error)}`;
  }
}

function requirePermission(path: string, error: unknown): void {
  if (!["EACCES", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) return;
  throw new UserError(`${path} must be readable, but ${reasonOf(error)}.`, { cause: error });
}

async function hashOf(file: FileHandle): Promise<string> {
  const hash = createHash("sha256");
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES);
    if (bytesRead === 0) return hash.digest("hex");
    hash.update(chunk.subarray(0, bytesRead));
  }
}
