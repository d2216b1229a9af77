import { existsSync } from "node:fs";
import { mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { madeUpPart, noise, partOf, tarGz } from "../../../test/data/archive-fixture.js";
import { ArchiveServer } from "../../../test/data/archive-server.js";
import { temporaryDirectory } from "../../../test/fixtures/temporary-directory.js";
import { UserError } from "../../errors.js";
import { type CorpusDownloadOptions, type CorpusProgress, downloadParts } from "./download.js";
import type { CorpusPart } from "./parts.js";

const { part, archive, files } = madeUpPart();
const path = part.archive;

let server: ArchiveServer;
let to: string;
let notes: string[];
beforeEach(async () => {
  server = await ArchiveServer.start();
  server.put(path, archive);
  to = join(await temporaryDirectory("download"), "corpora");
  notes = [];
});
afterEach(async () => {
  vi.restoreAllMocks();
  await server.close();
});

function download(options: Partial<CorpusDownloadOptions> = {}, parts: CorpusPart[] = [part]) {
  return downloadParts(parts, {
    to,
    mirror: server.url,
    onNote: (text) => notes.push(text),
    stallTimeout: 2000,
    retryDelays: [1, 2, 3],
    ...options,
  });
}

async function refused(options: Partial<CorpusDownloadOptions> = {}, parts?: CorpusPart[]): Promise<Error> {
  return await download(options, parts).then(
    () => expect.fail("it came"),
    (error: Error) => error,
  );
}

async function expectFiles(expected = files): Promise<void> {
  for (const [name, contents] of expected) {
    expect((await readFile(join(to, name))).equals(contents), name).toBe(true);
  }
}

/** Breaks the connection when so many bytes have come. */
function hangUpAt(...counts: number[]): (progress: CorpusProgress) => void {
  return ({ received }) => {
    if (received !== counts[0]) return;
    counts.shift();
    server.hangUp();
  };
}

/** Names in the directory besides the corpus. */
const beside = async () => (await readdir(to)).filter((name) => name !== "LibriSpeech");
const inPlace = () => existsSync(join(to, "LibriSpeech", part.name));

/** What a process that was killed has left. */
async function leave(contents: Uint8Array, host = hostname(), pid = 2 ** 22 + 1): Promise<string> {
  const name = `.${part.name}.tar.gz.${host}-${pid}.0123abcd.incomplete`;
  await mkdir(to, { recursive: true });
  await writeFile(join(to, name), contents);
  return name;
}

describe("a part", () => {
  it("comes to lie in place with the corpus's texts, and nothing beside it", async () => {
    const seen: CorpusProgress[] = [];
    const [result] = await download({ onProgress: (progress) => seen.push(progress) });
    await expectFiles();
    expect(await beside()).toEqual([]);
    expect((await readdir(join(to, "LibriSpeech"))).sort()).toEqual(["SPEAKERS.TXT", "dev-tiny"]);
    expect(result).toEqual({
      name: "dev-tiny",
      path: join(to, "LibriSpeech/dev-tiny"),
      bytes: archive.length,
      seconds: expect.any(Number),
    });
    expect(seen.at(-1)).toEqual({ received: archive.length, resumed: 0, total: archive.length });
  });

  it("that is there is left alone", async () => {
    await download();
    const remains = await leave(archive.subarray(0, 10));
    server.requests.length = 0;
    const [result] = await download();
    expect(server.requests).toEqual([]);
    expect(result).toMatchObject({ name: "dev-tiny", bytes: 0 });
    expect(notes.at(-1)).toBe(`dev-tiny is there already: ${join(to, "LibriSpeech/dev-tiny")}`);
    expect(await beside()).not.toContain(remains);
  });

  it("is one of several that are fetched together", async () => {
    const others = ["a-1", "b-2", "c-3"].map((name, i) => madeUpPart(name, i + 2));
    for (const other of others) server.put(other.part.archive, other.archive);
    const results = await download({}, [part, ...others.map((other) => other.part)]);
    expect(results.map(({ name }) => name)).toEqual(["dev-tiny", "a-1", "b-2", "c-3"]);
    await expectFiles();
    for (const other of others) await expectFiles(other.files);
  });

  it("that fails does not keep the others from coming", async () => {
    const other = madeUpPart("a-1", 2);
    server.put(other.part.archive, other.archive);
    const lost = { ...part, name: "lost", archive: "12/lost.tar.gz" };
    const error = await refused({}, [lost, part, other.part]);
    expect(error.message).toMatch(
      /lost\.tar\.gz must be an archive, but the server answered 404\. .*--mirror/,
    );
    await expectFiles();
    await expectFiles(other.files);
  });

  it("leaves its archive where that is wanted, which then serves to unpack it again", async () => {
    await download({ keepArchives: true });
    expect(await beside()).toEqual(["dev-tiny.tar.gz"]);
    expect((await readFile(join(to, "dev-tiny.tar.gz"))).equals(archive)).toBe(true);
    await rm(join(to, "LibriSpeech"), { recursive: true });
    server.requests.length = 0;
    await download();
    await expectFiles();
    expect(server.requests).toEqual([]);
    expect(await beside()).toEqual(["dev-tiny.tar.gz"]); // it is the user's
  });

  it.each([
    ["damaged", noise(archive.length, 1), /must have MD5|is no intact \.tar\.gz/],
    [
      "short",
      archive.subarray(1),
      new RegExp(`must have ${archive.length} bytes, but has ${archive.length - 1}`),
    ],
  ])("is refused where the user's own archive is %s, which stays", async (_, contents, message) => {
    await mkdir(to);
    await writeFile(join(to, "dev-tiny.tar.gz"), contents);
    const error = await refused();
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(message);
    expect(await beside()).toEqual(["dev-tiny.tar.gz"]);
    expect(inPlace()).toBe(false);
  });

  it("keeps the longer of two texts of the corpus", async () => {
    await mkdir(join(to, "LibriSpeech"), { recursive: true });
    const longer = "1 | F | dev-tiny\n2 | M | train-tiny\n";
    await writeFile(join(to, "LibriSpeech/SPEAKERS.TXT"), longer);
    await download();
    expect(await readFile(join(to, "LibriSpeech/SPEAKERS.TXT"), "utf8")).toBe(longer);
    expect(inPlace()).toBe(true);
  });
});

describe("a download", () => {
  it("that is cut goes on where it broke off, each time with new patience", async () => {
    server.befall(
      path,
      { stall: 100_000 },
      { status: 503 },
      { status: 429 },
      { stall: 50_000 },
      { status: 500 },
    );
    await download({ onProgress: hangUpAt(100_000, 150_000), retryDelays: [1, 2] });
    await expectFiles();
    expect(server.askedRanges).toEqual([
      "bytes=0-",
      "bytes=100000-",
      "bytes=100000-",
      "bytes=100000-",
      "bytes=150000-",
      "bytes=150000-",
    ]);
    expect(notes.join("\n")).toMatch(/dev-tiny: .*answered 503\. Trying again in 0\.001 s\./);
  });

  it("that stalls is cut and goes on", async () => {
    server.befall(path, { stall: 100_000 });
    await download({ stallTimeout: 300 });
    await expectFiles();
    expect(server.askedRanges.at(-1)).toBe("bytes=100000-");
  });

  it("begins anew where the server knows no ranges", async () => {
    server.ranges = false;
    server.befall(path, { stall: 100_000 });
    const seen: CorpusProgress[] = [];
    const hangUp = hangUpAt(100_000);
    const [result] = await download({
      onProgress: (progress) => {
        seen.push(progress);
        hangUp(progress);
      },
    });
    await expectFiles();
    expect(seen.at(-1)).toEqual({ received: archive.length, resumed: 0, total: archive.length });
    expect(result!.bytes).toBe(archive.length);
  });

  it("unpacks again what an ended process left, and asks for the rest", async () => {
    await leave(archive.subarray(0, 123_456));
    await mkdir(join(to, `.dev-tiny.${hostname()}-${2 ** 22 + 1}.0123abcd.unpacking/LibriSpeech`), {
      recursive: true,
    });
    const seen: CorpusProgress[] = [];
    const [result] = await download({ onProgress: (progress) => seen.push(progress) });
    await expectFiles();
    expect(server.askedRanges).toEqual(["bytes=123456-"]);
    expect(result!.bytes).toBe(archive.length - 123_456);
    expect(seen.at(-1)).toEqual({ received: archive.length, resumed: 123_456, total: archive.length });
    expect(await beside()).toEqual([]);
  });

  it("needs no server where all has come", async () => {
    await leave(archive);
    await download();
    await expectFiles();
    expect(server.requests).toEqual([]);
  });

  it.each([
    ["of another archive", noise(100_000, 5)],
    ["of the archive with an error in it", Buffer.concat([archive.subarray(0, 200_000), Buffer.from("x")])],
    ["more than the archive", Buffer.concat([archive, archive])],
  ])("starts over where what was left is %s", async (_, contents) => {
    await leave(contents);
    const seen: CorpusProgress[] = [];
    await download({ onProgress: (progress) => seen.push(progress) });
    await expectFiles();
    expect(server.askedRanges.at(-1)).toBe("bytes=0-");
    expect(seen.at(-1)).toEqual({ received: archive.length, resumed: 0, total: archive.length });
  });

  it("leaves alone what another process or computer works on, until nothing comes there any more", async () => {
    const other = await leave(archive.subarray(0, 100), hostname(), process.ppid);
    const elsewhere = await leave(archive.subarray(0, 200), "elsewhere", 1);
    await download();
    expect(server.askedRanges).toEqual(["bytes=0-"]);
    expect((await beside()).sort()).toEqual([other, elsewhere].sort());

    await rm(join(to, "LibriSpeech"), { recursive: true });
    const handle = await open(join(to, elsewhere));
    await handle.utimes(new Date(0), new Date(0));
    await handle.close();
    await download();
    expect(server.askedRanges.at(-1)).toBe("bytes=200-");
    expect(await beside()).toEqual([other]);
  });

  it("that is stopped while it reads what was left does not lose that", async () => {
    await leave(archive.subarray(0, 200_000));
    const stop = AbortSignal.abort(new Error("Ctrl+C"));
    expect(await refused({ signal: stop })).toBe(stop.reason);
    const later = new AbortController();
    const stopped = refused({ signal: later.signal, onProgress: () => later.abort(new Error("Ctrl+C")) });
    expect(await stopped).toBe(later.signal.reason);
    await download();
    await expectFiles();
    expect(server.askedRanges).toEqual(["bytes=200000-"]);
  });

  it("that is stopped leaves what has come and nothing unpacked, and the next one goes on", async () => {
    server.befall(path, { stall: 150_000 });
    const stop = new AbortController();
    const stopped = refused({
      signal: stop.signal,
      onProgress: ({ received }) => received === 150_000 && stop.abort(new Error("Ctrl+C")),
    });
    expect(await stopped).toBe(stop.signal.reason);
    expect(inPlace()).toBe(false);
    const left = await beside();
    expect(left).toEqual([expect.stringMatching(/^\.dev-tiny\.tar\.gz\..*\.incomplete$/)]);
    await download();
    await expectFiles();
    expect(server.askedRanges).toEqual(["bytes=0-", "bytes=150000-"]);
    expect(await beside()).toEqual([]);
  });
});

describe("a server", () => {
  it("with wrong bytes is told with both sums, and nothing of them stays", async () => {
    const other = madeUpPart("dev-tiny", 9);
    const wrong = Buffer.concat([other.archive, Buffer.alloc(archive.length)]).subarray(0, archive.length);
    server.put(path, wrong);
    const error = await refused();
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toContain(`must have MD5 ${part.md5}, but`);
    expect(error.message).toContain(partOf("x", wrong).md5);
    expect(await beside()).toEqual([]);
    expect(await readdir(join(to, "LibriSpeech"))).toEqual([]);
    server.put(path, archive);
    await download();
    await expectFiles();
  });

  it("with no archive is found out before all has come", async () => {
    const wrong = Buffer.concat([Buffer.from("no gzip"), archive]).subarray(0, archive.length);
    server.put(path, wrong);
    server.befall(path, { pace: 20_000 });
    const error = await refused();
    expect(error.message).toMatch(
      new RegExp(
        `must have MD5 ${part.md5}, but its first \\d+ bytes, of MD5 [0-9a-f]{32}, show another file`,
      ),
    );
    expect(await beside()).toEqual([]);
  });

  it("with an archive that leads elsewhere is refused", async () => {
    const evil = tarGz([
      { path: "LibriSpeech/dev-tiny/a", body: "a" },
      { path: "LibriSpeech/../../../evil", body: "b" },
    ]);
    server.put(path, evil);
    const error = await refused({}, [partOf("dev-tiny", evil)]);
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(
      /holds LibriSpeech\/\.\.\/\.\.\/\.\.\/evil, which lies outside LibriSpeech\//,
    );
    expect(await readdir(join(to, "LibriSpeech"))).toEqual([]);
  });

  it("with an archive of another part is refused", async () => {
    const other = tarGz([{ path: "LibriSpeech/other/a", body: "a" }]);
    server.put(path, other);
    const error = await refused({}, [partOf("dev-tiny", other)]);
    expect(error.message).toMatch(/must hold LibriSpeech\/dev-tiny\/, but holds other/);
    expect(await readdir(join(to, "LibriSpeech"))).toEqual([]);
  });

  it.each([true, false])("with more than the known size is refused (says so: %s)", async (says) => {
    server.put(path, Buffer.concat([archive, noise(1000, 3)]));
    server.lengths = says;
    const error = await refused();
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(
      says
        ? `must have ${archive.length} bytes, but has ${archive.length + 1000} on this server`
        : `it is longer than ${archive.length} bytes`,
    );
    expect(inPlace()).toBe(false);
  });

  it("with less than what has come already is told, and does not cost it", async () => {
    const left = await leave(archive.subarray(0, 200_000));
    server.put(path, archive.subarray(0, 100_000));
    expect((await refused()).message).toMatch(/but has fewer on this server \(it answered 416\)/);
    expect(left).toBeDefined();
    server.put(path, archive);
    await download();
    expect(server.askedRanges.at(-1)).toBe("bytes=200000-");
  });

  it("with a login page does not cost what has come already", async () => {
    await leave(archive.subarray(0, 200_000));
    server.befall(path, { page: "<html>Welcome to our hotel" });
    const error = await refused();
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(/must be an archive, but the answer is a web page/);
    await download();
    expect(server.askedRanges).toEqual(["bytes=200000-", "bytes=200000-"]);
  });

  it.each([404, 403])("that refuses with %i is asked once", async (status) => {
    server.befall(path, { status });
    const error = await refused();
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(
      `${server.url}/${path} must be an archive, but the server answered ${status}. Name another server`,
    );
    expect(server.requests).toHaveLength(1);
    expect(await beside()).toEqual([]);
  });

  it("in trouble is asked again and again, then told", async () => {
    server.befall(path, ...Array.from({ length: 4 }, () => ({ status: 503 })));
    const error = await refused();
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(
      /answered 503\. What has come stays, and the same command goes on from there/,
    );
    expect(server.requests).toHaveLength(4);
  });

  it("that is not there is told in one sentence with its address", async () => {
    const { url } = server;
    await server.close();
    server = await ArchiveServer.start();
    const error = await refused({ mirror: url });
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(
      /^dev-tiny must be downloaded from .*, but .* could not be reached: .*ECONNREFUSED/,
    );
  });
});

describe("a disk", () => {
  it("that is too small is told with both numbers before anything comes", async () => {
    const huge = { ...part, bytes: 8e15 };
    const error = await refused({}, [huge]);
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(
      /must have 16800000\.1 GB of disk space free .*, but has [\d.]+ [GM]B\. Free some/,
    );
    expect(server.requests).toEqual([]);
  });

  it("that fills while unpacking leaves the archive to go on with and nothing in place", async () => {
    const handle = await open("/dev/null");
    const prototype = Object.getPrototypeOf(handle);
    await handle.close();
    const append = prototype.appendFile;
    let first: unknown;
    vi.spyOn(prototype, "appendFile").mockImplementation(function (this: unknown, ...args: unknown[]) {
      first ??= this; // the archive: nothing is unpacked before some of it is there
      if (this === first) return append.apply(this, args);
      return Promise.reject(
        Object.assign(new Error("ENOSPC: no space left on device, write"), {
          code: "ENOSPC",
          syscall: "write",
        }),
      );
    });
    const error = await refused();
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(
      /must have space for dev-tiny, but the disk is full .* The archive so far stays/,
    );
    expect(inPlace()).toBe(false);
    const left = await beside();
    expect(left).toEqual([expect.stringMatching(/\.incomplete$/)]);
    vi.restoreAllMocks();
    await download();
    await expectFiles();
    expect(await beside()).toEqual([]);
  });
});
