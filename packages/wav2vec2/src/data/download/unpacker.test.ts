import fs, { existsSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { madeUpPart, noise, type TarEntry, tarGz } from "../../../test/data/archive-fixture.js";
import { temporaryDirectory } from "../../../test/fixtures/temporary-directory.js";
import { Random } from "../random.js";
import { Unpacker } from "./unpacker.js";

afterEach(() => vi.restoreAllMocks());

async function target(): Promise<string> {
  return join(await temporaryDirectory("unpack"), "new");
}

async function unpack(archive: Uint8Array, directory: string, pieces = 1): Promise<void> {
  const unpacker = new Unpacker(directory);
  const size = Math.ceil(archive.length / pieces);
  for (let start = 0; start < archive.length; start += size) {
    await unpacker.write(archive.subarray(start, start + size));
  }
  await unpacker.end();
}

describe("an archive", () => {
  const { archive, files } = madeUpPart();

  it("is unpacked the same wherever its pieces are cut", async () => {
    const random = new Random(3, "pieces");
    for (let trial = 0; trial < 5; trial++) {
      const directory = await target();
      const unpacker = new Unpacker(directory);
      for (let start = 0; start < archive.length; ) {
        const size = 1 + random.integer(trial === 0 ? 600 : 100_000);
        await unpacker.write(archive.subarray(start, start + size));
        start += size;
      }
      await unpacker.end();
      for (const [path, contents] of files) {
        expect((await readFile(join(directory, path))).equals(contents), path).toBe(true);
      }
    }
  });

  it("may hold empty files and such that are larger than what is read ahead", async () => {
    const [directory, body] = [await target(), noise(3_000_000, 7)];
    await unpack(
      tarGz([{ path: "LibriSpeech/empty" }, { path: "LibriSpeech/BOOKS.TXT", body }]),
      directory,
      40,
    );
    expect(fs.statSync(join(directory, "LibriSpeech/empty")).size).toBe(0);
    expect((await readFile(join(directory, "LibriSpeech/BOOKS.TXT"))).equals(body)).toBe(true);
  });

  it("that is discarded in the middle of a file leaves nothing, and nothing waits for the rest", async () => {
    const directory = await target();
    const unpacker = new Unpacker(directory);
    await unpacker.write(archive.subarray(0, 120_000));
    await vi.waitFor(() => expect(existsSync(directory)).toBe(true));
    await unpacker.discard();
    expect(existsSync(directory)).toBe(false);
  });

  it.each([1000, 150_000])("that ends after %i bytes is refused", async (size) => {
    await expect(unpack(archive.subarray(0, size), await target(), 7)).rejects.toThrow(
      /is no intact \.tar\.gz/,
    );
  });

  it("is refused where it is something else, or broken inside", async () => {
    await expect(unpack(Buffer.from("<html>"), await target())).rejects.toThrow(/is no intact \.tar\.gz/);
    const broken = Buffer.from(archive);
    broken.fill(0, 100_000, 100_100);
    await expect(unpack(broken, await target(), 7)).rejects.toThrow(/is no intact \.tar\.gz/);
  });

  it.each<[string, TarEntry]>([
    ["LibriSpeech/../../evil", { path: "LibriSpeech/../../evil", body: "x" }],
    ["../evil", { path: "../evil", body: "x" }],
    ["/etc/evil", { path: "/etc/evil", body: "x" }],
    ["Other/evil", { path: "Other/evil", body: "x" }],
    ["LibriSpeech\\..\\evil", { path: "LibriSpeech\\..\\evil", body: "x" }],
    ["no file but a SymbolicLink", { path: "LibriSpeech/a", type: "SymbolicLink", linkpath: "/etc" }],
    ["no file but a Link", { path: "LibriSpeech/a", type: "Link", linkpath: "/etc/passwd" }],
    ["no file but a FIFO", { path: "LibriSpeech/a", type: "FIFO" }],
  ])("with %s is refused", async (what, entry) => {
    const directory = await target();
    const good: TarEntry = { path: "LibriSpeech/good", body: "x" };
    const refused = await unpack(tarGz([good, entry, good]), directory).catch((error: Error) => error);
    expect(refused).toMatchObject({ name: "WrongArchiveError" });
    expect((refused as Error).message).toContain(what);
    expect(existsSync(join(directory, "../evil"))).toBe(false);
    expect(fs.readdirSync(join(directory, "LibriSpeech"))).toEqual(["good"]);
  });

  it("stops with the system's error where the disk is full", async () => {
    const directory = await target();
    const handle = await open("/dev/null");
    const prototype = Object.getPrototypeOf(handle);
    await handle.close();
    vi.spyOn(prototype, "appendFile").mockRejectedValue(
      Object.assign(new Error("ENOSPC: no space left on device, write"), {
        code: "ENOSPC",
        syscall: "write",
      }),
    );
    const unpacker = new Unpacker(directory);
    const write = async () => {
      for (let start = 0; start < archive.length; start += 10_000) {
        await unpacker.write(archive.subarray(start, start + 10_000));
      }
      await unpacker.end();
    };
    await expect(write()).rejects.toMatchObject({ code: "ENOSPC" });
    await unpacker.discard();
    expect(existsSync(directory)).toBe(false);
  });
});
