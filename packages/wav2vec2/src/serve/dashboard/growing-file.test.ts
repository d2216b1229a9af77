import { appendFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/fixtures/temporary-directory.js";
import { GrowingFile, parseLine } from "./growing-file.js";

let path: string;
let lines: { text: string; at: number }[];
let file: GrowingFile;
beforeEach(async () => {
  path = join(await temporaryDirectory("growing"), "metrics.jsonl");
  lines = [];
  file = new GrowingFile(() => open(path).catch(() => undefined), {
    line: (bytes, at) => lines.push({ text: bytes.toString(), at }),
    reset: () => {
      lines = [];
    },
  });
});

const texts = (): string[] => lines.map(({ text }) => text);
const row = (step: number): string => `{"step":${step}}`;

describe("GrowingFile", () => {
  it("passes on what is appended, each line once and with its place", async () => {
    await file.read(); // there is no file yet
    writeFileSync(path, `${row(1)}\n${row(2)}\n`);
    await Promise.all([file.read(), file.read()]);
    appendFileSync(path, `\n${row(3)}\n`);
    await file.read();
    await file.read();
    expect(lines).toEqual([
      { text: row(1), at: 0 },
      { text: row(2), at: 11 },
      { text: row(3), at: 23 },
    ]);
  });

  it("waits for the rest of a torn line, and takes a whole one without its end", async () => {
    writeFileSync(path, `${row(1)}\n{"step":`);
    await file.read();
    expect(texts()).toEqual([row(1)]);
    appendFileSync(path, "2}");
    await file.read();
    expect(texts()).toEqual([row(1), row(2)]);
    appendFileSync(path, `\n${row(3)}\n`);
    await file.read();
    expect(texts()).toEqual([row(1), row(2), row(3)]);
  });

  it.each([
    [
      "put in its place",
      () => {
        writeFileSync(`${path}.new`, `${row(1)}\n${row(9)}\n${row(10)}\n`);
        renameSync(`${path}.new`, path);
      },
    ],
    ["written over it, longer", () => writeFileSync(path, `${row(7)}\n${row(9)}\n${row(10)}\n${row(11)}\n`)],
    ["shorter", () => writeFileSync(path, `${row(1)}\n`)],
  ])("begins anew where another file is %s", async (_, replace) => {
    writeFileSync(path, `${row(1)}\n${row(2)}\n${row(3)}\n`);
    await file.read();
    const before = file.version;
    replace();
    await file.read();
    const now = await open(path);
    expect(texts()).toEqual((await now.readFile("utf8")).trim().split("\n"));
    await now.close();
    expect(file.version.split(".")[0]).not.toBe(before.split(".")[0]);
  });

  it("forgets a file that is gone", async () => {
    writeFileSync(path, `${row(1)}\n`);
    await file.read();
    rmSync(path);
    await file.read();
    expect(texts()).toEqual([]);
  });

  it("reads lines of any length", async () => {
    const long = JSON.stringify({ step: 1, text: "x".repeat(3 << 20) });
    writeFileSync(path, `${row(0)}\n${long}\n${row(2)}\n`);
    await file.read();
    expect(texts().map(({ length }) => length)).toEqual([10, long.length, 10]);
  });
});

describe("parseLine", () => {
  const parsed = (text: string): unknown => parseLine(Buffer.from(text));

  it("takes what is not finite as null, also as other programs write it", () => {
    expect(parsed('{"step":1,"loss":null,"a":NaN,"b": -Infinity,"c":[Infinity],"d":"NaN, :NaN,"}')).toEqual({
      step: 1,
      loss: null,
      a: null,
      b: null,
      c: [null],
      d: expect.any(String),
    });
  });

  it("knows no object in torn or other text", () => {
    for (const text of ['{"step":1{"step":2}', "[1]", "3", "", "null"]) expect(parsed(text)).toBeUndefined();
  });
});
