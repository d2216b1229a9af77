import { createHash, type Hash, randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { UserError } from "../errors.js";
import { type HubClient, HubRequestError, pause } from "./hub-request.js";
import type { HubFile } from "./model-files.js";

/**
 * Downloads a file to `blob`, which is there only once it is whole and its checksum is right. A cut connection is
 * taken up again where it broke off, and so is a download that an earlier process did not finish. Within a process,
 * one download of a blob at a time.
 *
 * `@huggingface/hub` has a download to the cache too, but its partial file has one name for all processes, it neither
 * resumes nor checks what it got, and it writes notes to stdout.
 *
 * @param onBytes is called with the number of bytes that came to the file, below zero where some were thrown away
 * @throws UserError when the contents are not what the Hub lists
 * @throws HubRequestError when the Hub refuses, or fails again and again; what came so far stays for another time
 */
export async function downloadBlob(
  client: HubClient,
  url: string,
  file: HubFile,
  blob: string,
  onBytes: (count: number) => void,
): Promise<void> {
  await mkdir(dirname(blob), { recursive: true });
  const partial = await claimPartial(blob);
  try {
    await fill(client, url, file, partial, onBytes);
    await rename(partial, blob);
  } catch (error) {
    if (error instanceof UserError) await rm(partial, { force: true }); // wrong contents are of no use to resume
    throw error;
  }
}

async function fill(
  client: HubClient,
  url: string,
  file: HubFile,
  partial: string,
  onBytes: (count: number) => void,
): Promise<void> {
  await using contents = await PartialFile.open(partial, file, onBytes);
  const resumed = contents.size > 0;
  await receive(client, url, contents);
  if (resumed && !contents.isRight) {
    await contents.restart();
    await receive(client, url, contents);
  }
  if (!contents.isRight) throw notAsListed(file, "has another checksum");
  await contents.sync();
}

function notAsListed({ path, size, hash }: HubFile, fault: string): UserError {
  return new UserError(
    `${path} must be as the Hub lists it (${size} bytes, checksum ${hash}), but ${fault}. ` +
      "Try again; if it stays so, something on the way changes files.",
  );
}

/** Requests what is missing until all is there. */
async function receive(client: HubClient, url: string, contents: PartialFile): Promise<void> {
  const { retryDelays } = client.environment;
  let [furthest, failures] = [contents.size, 0];
  while (contents.size < contents.file.size) {
    try {
      await receiveOnce(client, url, contents);
    } catch (error) {
      if (!(error instanceof HubRequestError) || !error.transient) throw error;
      failures = contents.size > furthest ? 0 : failures + 1;
      if (failures > retryDelays.length) throw error;
      if (failures > 0) await pause(retryDelays[failures - 1]!, client.signal);
    }
    furthest = Math.max(furthest, contents.size);
  }
}

async function receiveOnce(client: HubClient, url: string, contents: PartialFile): Promise<void> {
  const stalled = new AbortController();
  const watch = setTimeout(
    () => stalled.abort(new DOMException("no bytes in time", "TimeoutError")),
    client.environment.downloadTimeout,
  );
  try {
    const response = await client.request(url, {
      // Compressed, the place to resume from would be another.
      headers: { "accept-encoding": "identity", range: `bytes=${contents.size}-` },
      signal: stalled.signal,
    });
    if (response.status !== 206) {
      await contents.restart(); // a server that knows no ranges
    } else if (!response.headers.get("content-range")?.startsWith(`bytes ${contents.size}-`)) {
      throw new HubRequestError(`${url} answered with another range than was asked for`, 500);
    }
    const reader = response.body!.getReader();
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw client.failure(url, error);
      });
      if (done) break;
      watch.refresh();
      await contents.append(value);
    }
    if (contents.size < contents.file.size) {
      throw new HubRequestError(`${url} ended after ${contents.size} of ${contents.file.size} bytes`);
    }
  } finally {
    clearTimeout(watch);
    stalled.abort();
  }
}

/** A file that grows at its end, and the checksum of what is in it. */
class PartialFile implements AsyncDisposable {
  size = 0;
  #hash: Hash;

  private constructor(
    readonly file: HubFile,
    private readonly handle: FileHandle,
    private readonly onBytes: (count: number) => void,
  ) {
    this.#hash = newHash(file);
  }

  static async open(path: string, file: HubFile, onBytes: (count: number) => void): Promise<PartialFile> {
    const handle = await open(path, "a+");
    const partial = new PartialFile(file, handle, onBytes);
    const buffer = Buffer.alloc(1 << 20);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, partial.size);
      if (bytesRead === 0) break;
      partial.#add(buffer.subarray(0, bytesRead));
    }
    if (partial.size > file.size) await partial.restart();
    return partial;
  }

  get isRight(): boolean {
    return this.size === this.file.size && this.#hash.copy().digest("hex") === this.file.hash;
  }

  /** @throws UserError when more comes than the Hub lists */
  async append(chunk: Uint8Array): Promise<void> {
    if (this.size + chunk.length > this.file.size) throw notAsListed(this.file, "is longer");
    await this.handle.appendFile(chunk);
    this.#add(chunk);
  }

  async restart(): Promise<void> {
    await this.handle.truncate(0);
    this.onBytes(-this.size);
    this.size = 0;
    this.#hash = newHash(this.file);
  }

  async sync(): Promise<void> {
    await this.handle.sync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close();
  }

  #add(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.size += chunk.length;
    this.onBytes(chunk.length);
  }
}

function newHash({ hash, size }: HubFile): Hash {
  if (hash.length === 64) return createHash("sha256");
  return createHash("sha1").update(`blob ${size}\0`); // https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
}

/**
 * A name for a partial file that only this download has. What a process that ended left of the same blob is
 * taken over, the longest of it; a process is known to have ended where it ran on this computer.
 */
async function claimPartial(blob: string): Promise<string> {
  const directory = dirname(blob);
  const own = `${blob}.${hostname()}-${process.pid}.${randomBytes(4).toString("hex")}.incomplete`;
  const left: { path: string; size: number }[] = [];
  for (const name of await readdir(directory)) {
    if (!name.startsWith(`${basename(blob)}.`)) continue;
    const [, host, pid] =
      /\.(.+)-(\d+)\.[0-9a-f]{8}\.incomplete$/.exec(name.slice(basename(blob).length)) ?? [];
    const path = join(directory, name);
    if (host !== hostname() || isOther(Number(pid))) continue;
    left.push({ path, size: (await stat(path).catch(() => undefined))?.size ?? 0 });
  }
  left.sort((a, b) => b.size - a.size);
  let taken = false;
  for (const { path } of left) {
    if (taken) {
      await rm(path, { force: true });
    } else {
      // Another process may have taken it over in this moment.
      taken = await rename(path, own).then(
        () => true,
        () => false,
      );
    }
  }
  return own;
}

/** Whether a process of this number is there and is not this one. */
function isOther(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0); // signal 0 only asks
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
