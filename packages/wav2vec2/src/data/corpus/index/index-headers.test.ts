import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { corpusDirectory, flac } from "../../../../test/fixtures/corpus-fixture.js";
import { readCorpus } from "../corpus.js";
import { defaultCache } from "./index-file.js";

const FILES = 40;
let { root, put, cache } = corpusDirectory();
beforeEach(() => {
  ({ root, put, cache } = corpusDirectory());
  for (let i = 0; i < FILES; i++) put(`data/${i}.flac`, flac(1000 + i));
});

const lengths = async (directory: string | false = cache) => {
  const { utterances } = await readCorpus(join(root, "data"), undefined, {
    cache: directory,
    transcripts: "none",
  });
  return Object.fromEntries(utterances.map(({ id, samples }) => [id, samples]));
};
const expected = (changes: Record<string, number> = {}) => ({
  ...Object.fromEntries(Array.from({ length: FILES }, (_, i) => [i, 1000 + i])),
  ...changes,
});
const indexFile = () => join(cache, "index", readdirSync(join(cache, "index"))[0]!);

/** Other contents under the same size and time: only who opens the file notices. */
function changeUnseen(name: string) {
  const path = join(root, "data", name);
  const { size, mtime } = statSync(path);
  writeFileSync(path, "x".repeat(size));
  utimesSync(path, mtime, mtime);
}

describe("the index of lengths", () => {
  it("spares opening files that have not changed", async () => {
    for (let i = 0; i < FILES; i++) utimesSync(join(root, "data", `${i}.flac`), 1000, 1000);
    expect(await lengths()).toEqual(expected());
    for (let i = 0; i < FILES; i++) changeUnseen(`${i}.flac`);
    const before = statSync(indexFile()).mtimeMs;
    expect(await lengths()).toEqual(expected());
    expect(statSync(indexFile()).mtimeMs).toBe(before);
    await expect(lengths(false)).rejects.toThrow("39 more problems");
  });

  it("notices files that are new, gone, or of another size or time", async () => {
    await lengths();
    put("data/3.flac", flac(5));
    put("data/4.flac", flac(1004, 8000)); // the same size
    utimesSync(join(root, "data/4.flac"), 2000, 2000);
    put("data/new.flac", flac(7));
    rmSync(join(root, "data/5.flac"));
    const { 5: _, ...changed } = expected({ 3: 5, 4: 2008, new: 7 });
    expect(await lengths()).toEqual(changed);
    const lines = readFileSync(indexFile(), "utf8").split("\n");
    expect(lines).toHaveLength(FILES + 3); // first, last and the end
    expect(lines.some((line) => line.startsWith('["5.flac"'))).toBe(false);
  });

  it("keeps what was not asked for", async () => {
    await lengths();
    const exclude = put("exclude.txt", Array.from({ length: 30 }, (_, i) => `${i}\n`).join(""));
    put("data/new.flac", flac(7));
    await readCorpus(join(root, "data"), undefined, { cache, transcripts: "none", exclude });
    expect(readFileSync(indexFile(), "utf8").split("\n")).toHaveLength(FILES + 4);
  });

  it("is made anew where it is damaged, cut off or another's", async () => {
    await lengths();
    const intact = readFileSync(indexFile(), "utf8");
    const spoilt = [
      "",
      "\n",
      "{}\n",
      intact.slice(0, -20),
      intact.slice(0, intact.length / 2),
      intact.replace(",1003,", ",9999,"),
      intact.replace('"index":1', '"index":0'),
      intact.replace("/data", "/atad"),
      `${intact}\n`,
      Buffer.from(intact).fill(0, 100, 300),
    ];
    for (const contents of spoilt) {
      writeFileSync(indexFile(), contents);
      expect(await lengths()).toEqual(expected());
      expect(readFileSync(indexFile(), "utf8")).toBe(intact);
    }
  });

  it("is not missed where it cannot be written", async () => {
    const blocked = put("blocked", "a file, not a directory");
    expect(await lengths(blocked)).toEqual(expected());
    mkdirSync(join(root, "read-only"));
    chmodSync(join(root, "read-only"), 0o500);
    expect(await lengths(join(root, "read-only"))).toEqual(expected());
    expect(await lengths(false)).toEqual(expected());
  });

  it("may be written by several at once", async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => lengths()));
    for (const each of all) expect(each).toEqual(expected());
    expect(readdirSync(join(cache, "index"))).toHaveLength(1); // no temporary file stays
    expect(await lengths()).toEqual(expected());
  });

  it("leaves the corpus alone", async () => {
    await lengths();
    expect(readdirSync(join(root, "data"))).toHaveLength(FILES);
  });
});

describe("defaultCache", () => {
  it.each([
    [{ WAV2VEC2_CACHE: "/a", XDG_CACHE_HOME: "/b" }, /^\/a$/],
    [{ XDG_CACHE_HOME: "/b" }, /^\/b\/wav2vec2$/],
    [{ XDG_CACHE_HOME: "relative" }, /\/\.cache\/wav2vec2$/],
    [{}, /\/\.cache\/wav2vec2$/],
  ])("%j", (env, path) => {
    expect(defaultCache(env)).toMatch(path);
  });
});
