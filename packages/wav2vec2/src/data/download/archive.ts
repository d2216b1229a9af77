import { createHash } from "node:crypto";
import { rm, stat } from "node:fs/promises";
import { UserError } from "../../errors.js";
import { type ExpectedFile, PartialFile } from "../../files/atomic/partial-file.js";
import { HttpClient, RequestError } from "../../files/hub/http-request.js";
import { type ResumeOptions, resumeDownload } from "../../files/hub/resume-download.js";
import type { CorpusPart } from "./parts.js";
import { Unpacker } from "./unpacker.js";
import { WrongArchiveError } from "./wrong-archive.js";

export interface ArchiveFiles {
  /** What has come so far; does not exist yet, or is what an earlier process left, or the whole archive. */
  archive: string;
  /** Whether `archive` is the user's, to be read only. */
  kept: boolean;
  /** Where to unpack to; does not exist yet. */
  unpacked: string;
}

export interface ArchiveOptions extends Pick<ResumeOptions, "stallTimeout" | "retryDelays" | "onRetry"> {
  signal?: AbortSignal | undefined;
  /** Bytes that came; below zero where some were thrown away. */
  onBytes: (count: number, from: "disk" | "server") => void;
  onNote: (text: string) => void;
}

/**
 * Downloads what is missing of a part's archive and unpacks it in the same pass, from the beginning on disk.
 * @throws UserError when the archive is not the one that is known, or the server does not give it
 * @throws the signal's reason once that is aborted; as with everything but wrong contents, what has come stays
 */
export async function fetchArchive(
  part: CorpusPart,
  url: string,
  files: ArchiveFiles,
  options: ArchiveOptions,
): Promise<void> {
  for (;;) {
    const attempt = new Attempt(part, url, files, options);
    try {
      await attempt.run();
      return;
    } catch (error) {
      if (error instanceof RequestError) throw explain(error, part, url);
      if (!(error instanceof WrongArchiveError)) throw error;
      if (files.kept) {
        throw new UserError(`${files.archive} ${error.message}. Remove or rename it, then it is downloaded.`);
      }
      await rm(files.archive, { force: true });
      if (attempt.fromDisk === 0) {
        throw new UserError(
          `${url} ${error.message}. Nothing of it is kept. Try again; if it stays so, name another server with --mirror.`,
        );
      }
      attempt.takeBack();
      options.onNote(`What an earlier download left of ${part.name} is not right. Starting over.`);
    }
  }
}

class Attempt {
  /** Bytes that an earlier process left and this one goes on from. */
  fromDisk = 0;
  #fromServer = 0;
  #unpacker: Unpacker;

  constructor(
    private readonly part: CorpusPart,
    private readonly url: string,
    private readonly files: ArchiveFiles,
    private readonly options: ArchiveOptions,
  ) {
    this.#unpacker = new Unpacker(files.unpacked);
  }

  async run(): Promise<void> {
    try {
      await this.#run();
    } catch (error) {
      await this.#unpacker.discard();
      const left = await stat(this.files.archive).catch(() => undefined);
      if (left?.size === 0) await rm(this.files.archive, { force: true });
      throw error;
    }
  }

  /** Takes back what was told of bytes that came. */
  takeBack(): void {
    this.options.onBytes(-this.fromDisk, "disk");
    this.options.onBytes(-this.#fromServer, "server");
    [this.fromDisk, this.#fromServer] = [0, 0];
  }

  async #run(): Promise<void> {
    const { part, url, options } = this;
    let opened = false;
    await using contents = await PartialFile.open(this.files.archive, expected(part), {
      onBytes: async (chunk) => {
        options.signal?.throwIfAborted();
        if (opened) this.#fromServer += chunk.length;
        else this.fromDisk += chunk.length;
        options.onBytes(chunk.length, opened ? "server" : "disk");
        await this.#unpacker.write(chunk);
      },
      onRestart: async () => {
        this.takeBack();
        await this.#unpacker.discard();
        this.#unpacker = new Unpacker(this.files.unpacked);
      },
    });
    opened = true;
    try {
      const onResponse = (response: Response) => requireArchive(response, part, url);
      await resumeDownload(new HttpClient(options.signal), url, contents, { ...options, onResponse });
      if (!contents.isRight) throw new WrongArchiveError("has another checksum");
      await this.#unpacker.end();
      await contents.sync();
    } catch (error) {
      if (!(error instanceof WrongArchiveError)) throw error;
      const { size, hash, isRight } = contents;
      const found =
        size === part.bytes && !isRight
          ? `has ${hash}`
          : `its first ${size} bytes, of MD5 ${hash}, show another file: it ${error.message}`;
      throw new WrongArchiveError(`must have MD5 ${part.md5}, but ${found}`, { cause: error });
    }
  }
}

function expected(part: CorpusPart): ExpectedFile {
  return {
    size: part.bytes,
    hash: part.md5,
    newHash: () => createHash("md5"),
    wrong: (fault) => new WrongArchiveError(`${fault} than ${part.bytes} bytes`),
  };
}

/**
 * An answer that is plainly something else, such as the login page of a hotel's network, must not cost what has come
 * already.
 */
function requireArchive({ status, headers }: Response, { bytes }: CorpusPart, url: string): void {
  const type = headers.get("content-type") ?? "";
  if (/^text\/html/i.test(type)) {
    throw new UserError(
      `${url} must be an archive, but the answer is a web page. Open it in a browser: your network may want a login.`,
    );
  }
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding !== "identity") {
    throw new UserError(
      `${url} must come as it is, but the server encodes it (${encoding}). Name another server with --mirror.`,
    );
  }
  const text =
    status === 206 ? /\/(\d+)$/.exec(headers.get("content-range") ?? "")?.[1] : headers.get("content-length");
  if (text && Number(text) !== bytes) {
    throw new UserError(
      `${url} must have ${bytes} bytes, but has ${text} on this server. Name another one with --mirror.`,
    );
  }
}

/** What the server's refusal means and what to do about it. */
function explain(error: RequestError, { name, bytes }: CorpusPart, url: string): UserError {
  const { status, transient, message } = error;
  const elsewhere = "Name another server with --mirror, such as https://us.openslr.org/resources.";
  const say = (text: string): UserError => new UserError(text, { cause: error });
  if (transient) {
    return say(
      `${name} must be downloaded from ${url}, but ${message}. What has come stays, and the same command goes on from there. ${elsewhere}`,
    );
  }
  if (status === 416) {
    return say(
      `${url} must have ${bytes} bytes, but has fewer on this server (it answered 416). ${elsewhere}`,
    );
  }
  return say(`${url} must be an archive, but the server answered ${status}. ${elsewhere}`);
}
