import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { makeZip, temporaryFolder } from "../fixtures.mjs";
import {
  crc32ByTable,
  DamagedArchive,
  extractMember,
  locateCentralDirectory,
  parseCentralDirectory,
  readMember,
} from "./zip.mjs";

/** @param {Buffer} bytes */
function open(bytes) {
  const path = join(temporaryFolder(), "archive.zip");
  writeFileSync(path, bytes);
  const fd = openSync(path, "r");
  onTestFinished(() => closeSync(fd));
  const directory = locateCentralDirectory(bytes);
  const central = bytes.subarray(directory.offset, directory.offset + directory.size);
  return { archive: { fd, path }, entries: parseCentralDirectory(central, directory) };
}

const large = Buffer.alloc(5 << 20, "libtorch ");

test("members come out as they went in, in memory and streamed, packed and stored", async () => {
  const members = { "a/": "", "a/small.h": "#pragma once\n", "empty.h": "", "a/large.so": large };
  for (const stored of [false, true]) {
    const { archive, entries } = open(makeZip(members, { stored }));
    expect([...entries.keys()]).toEqual(["a/small.h", "empty.h", "a/large.so"]);
    const folder = temporaryFolder();
    for (const [name, entry] of entries) {
      await extractMember(archive, entry, join(folder, name));
      const expected = Buffer.from(members[/** @type {keyof typeof members} */ (name)]);
      expect(readFileSync(join(folder, name)).equals(expected)).toBe(true);
    }
  }
});

test("each member ends where the next one, or the directory, starts", () => {
  const bytes = makeZip({ "a.h": "a", "b.h": "b" });
  const { entries } = open(bytes);
  const [a, b] = [...entries.values()];
  expect(a?.end).toBe(b?.offset);
  expect(b?.end).toBe(locateCentralDirectory(bytes).offset);
});

test("a comment at the end does not hide the directory, nor does its signature inside the comment", () => {
  const bytes = makeZip({ "a.h": "a" });
  const comment = Buffer.from("see PK\x05\x06 and more than twenty-two further bytes");
  const commented = Buffer.concat([bytes, comment]);
  commented.writeUInt16LE(comment.length, bytes.length - 2);
  expect(locateCentralDirectory(commented)).toEqual(locateCentralDirectory(bytes));
});

test("a flipped bit anywhere in a member is found", async () => {
  for (const [name, content] of Object.entries({ "small.h": "some text of a header\n", "large.so": large })) {
    for (const stored of [false, true]) {
      const { archive, entries } = open(makeZip({ [name]: content }, { stored }));
      const entry = /** @type {import("./zip.mjs").ZipEntry} */ (entries.get(name));
      const bytes = readFileSync(archive.path);
      const at = entry.end - 5;
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      const damaged = open(bytes).archive;
      await expect(extractMember(damaged, entry, join(temporaryFolder(), name))).rejects.toThrow(
        DamagedArchive,
      );
    }
  }
});

test("a member without its header is damaged", () => {
  const bytes = makeZip({ "a.h": "a" });
  bytes.fill(0, 0, 30);
  const { archive, entries } = open(bytes);
  expect(() => readMember(archive, /** @type {never} */ (entries.get("a.h")))).toThrow(/a\.h has no header/);
});

test("what is no archive, and a directory cut short, are named", () => {
  expect(() => locateCentralDirectory(Buffer.alloc(100))).toThrow(/must be a zip archive/);
  const bytes = makeZip({ "a.h": "a", "b.h": "b" });
  const directory = locateCentralDirectory(bytes);
  const central = bytes.subarray(directory.offset, directory.offset + 60);
  expect(() => parseCentralDirectory(central, directory)).toThrow(/damaged at entry 1 of 2/);
});

test("CRC-32 has the standard's check value, also in parts", () => {
  expect(crc32ByTable(Buffer.from("123456789"))).toBe(0xcbf43926);
  expect(crc32ByTable(Buffer.from("6789"), crc32ByTable(Buffer.from("12345")))).toBe(0xcbf43926);
});
