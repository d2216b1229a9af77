import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../errors.js";
import { readBytes } from "./file-bytes.js";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "packed-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

async function read(contents: Uint8Array): Promise<Uint8Array[]> {
  const path = join(directory, "a model.arpa");
  writeFileSync(path, contents);
  const parts: Uint8Array[] = [];
  for await (const part of readBytes(path, "a language model")) parts.push(part);
  return parts;
}

describe("readBytes of what another program packed", () => {
  // The first bytes of `printf 'a\n' | bzip2`, and of the same by xz, lzma, zstd, compress, zip and 7z.
  test.each([
    ["bzip2", "425a6839314159265359", "bunzip2 --keep"],
    ["xz", "fd377a585a000004e6d6b446", "unxz --keep"],
    ["lzma", "5d00008000ffffffffffffffff", "unlzma --keep"],
    ["Zstandard", "28b52ffd04580900", "unzstd"],
    ["compress", "1f9d9061140a", "uncompress"],
    ["zip", "504b0304140000000800", "unzip"],
    ["7-Zip", "377abcaf271c0004", "7z x"],
  ])("names the command: %s", async (name, bytes, command) => {
    const reading = read(Buffer.from(bytes, "hex"));
    await expect(reading).rejects.toBeInstanceOf(UserError);
    await expect(reading).rejects.toThrow(
      `a model.arpa must be a language model, plain or packed with gzip, but is packed with ${name}. Unpack it: ${command} '`,
    );
  });

  test("lets texts through that begin alike", async () => {
    for (const text of ["BZ", "PK is a name\n", "]\n", ""])
      expect(Buffer.concat(await read(Buffer.from(text))).toString()).toBe(text);
  });
});
