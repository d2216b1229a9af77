import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readAudio } from "../../audio/audio-file.js";
import { readCorpus } from "../corpus/corpus.js";
import { unpackTables } from "./unpack-tables.js";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "unpack-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, contents: string | Uint8Array): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, contents);
  return file;
}

it("Parquet becomes clips with their table, which is a corpus", async () => {
  put("pq/data/train-00000-of-00002.parquet", TABLE);
  put("pq/data/train-00001-of-00002.parquet", TABLE);
  put("pq/validation/0000.parquet", TABLE);
  const to = join(root, "out");
  const splits = await unpackTables(join(root, "pq"), { to });
  expect(splits).toEqual([
    { name: "train", path: join(to, "train"), clips: 6 },
    { name: "validation", path: join(to, "validation"), clips: 3 },
  ]);
  const options = { cache: false, columns: ["original_start_time"] } as const;
  const { utterances } = await readCorpus(to, "validation", options);
  expect(
    utterances.map(({ id, text, speaker, samples, columns }) => [id, text, speaker, samples, columns]),
  ).toEqual([
    ["1", "two", "8", 2, { original_start_time: "2" }],
    ["2", "three", "9", 2, { original_start_time: "3" }],
    ["a", "größe", "7", 3, { original_start_time: "1.5" }],
  ]);
  expect(Array.from(await readAudio(join(to, "validation/a.wav")), (sample) => sample * 32768)).toEqual([
    1, 2, 3,
  ]);
  expect(readdirSync(join(to, "train")).sort()).toEqual([
    "1.wav",
    "2.wav",
    "3.wav",
    "4.wav",
    "5.wav",
    "a.wav",
    "metadata.jsonl",
  ]);
  await expect(unpackTables(join(root, "pq"), { to })).rejects.toThrow(
    "must be new, but holds metadata.jsonl",
  );
});

it("says what is no table, is cut off, or has to be written as Parquet first", async () => {
  const to = join(root, "out");
  await expect(unpackTables(put("a.parquet", "no"), { to })).rejects.toThrow(
    "a.parquet must be a Parquet file, but",
  );
  await expect(unpackTables(put("b.parquet", TABLE.subarray(9)), { to })).rejects.toThrow(
    "b.parquet must be a",
  );
  await expect(unpackTables(join(root, "none"), { to })).rejects.toThrow(
    "none must be a directory, but does not",
  );
  mkdirSync(join(root, "empty"));
  await expect(unpackTables(join(root, "empty"), { to })).rejects.toThrow(
    "empty must be a Parquet file or a directory",
  );
  put("saved/dataset_dict.json", "{}");
  put("saved/train/data-00000-of-00001.arrow", "x");
  await expect(unpackTables(join(root, "saved"), { to })).rejects.toThrow(
    `is Arrow, as datasets' save_to_disk writes it. Write it as Parquet with: python3 -c "import sys, datasets;`,
  );
  expect(() => readFileSync(join(to, "b/metadata.jsonl"))).toThrow();
});

// Three clips of two or three samples, compressed with zstd: audio {bytes, path}, path, sentence, start_time, speaker_id.
const TABLE = Buffer.from(
  "UEFSMRUAFcgCFaYBLBUGFQAVBhUGHAAAACi1L/0gpFUCAEKEDhmAuVkDmF6BCEUHMyHnZjOJwYinTr29W5IUkemIjhSm8RJr" +
    "7FC9FQcsnucqaQmEoBAwfFlrQHhz6RcEAF4VGUBuVk7PChMKFQAVNhVILBUGFQAVBhUGHAAAACi1L/0gG9kAAAMAAAADJgAH" +
    "AAAAeC9hLndhdgUAAABhLndhdhUAFTQVRiwVBhUAFQYVBhwAAAAotS/9IBrRAAACAAAABgEGAAAAL3RtcC9hAQAAAGIBAAAA" +
    "YxUAFUIVVCwVBhUAFQYVBhwAAAAotS/9ICEJAQACAAAABgEHAAAAZ3LDtsOfZQMAAAB0d28FAAAAdGhyZWUVABU8FUYsFQYV" +
    "ABUGFQYcAAAAKLUv/SAe1QAAmAIAAAAGAQD4PwBAAAAAAAAACEACAGDGBYwVABU8FUYsFQYVABUGFQYcAAAAKLUv/SAe1QAA" +
    "kAIAAAAGAQcACAAJAAAAAAAAAAIAYOABcAEVBBmMNQAYBnNjaGVtYRUKADUCGAVhdWRpbxUEABUMJQIYBWJ5dGVzABUMJQIY" +
    "BHBhdGglAEwcAAAAFQwlAhgEcGF0aCUATBwAAAAVDCUCGAhzZW50ZW5jZSUATBwAAAAVCiUCGApzdGFydF90aW1lABUEJQIY" +
    "CnNwZWFrZXJfaWQAFgYZHBlsJgAcFQwZJQYAGSgFYXVkaW8FYnl0ZXMVDBYGFvICFtABJghJHBUAFQAVAgA8FqQCGQYZNgAA" +
    "BgAAACYAHBUMGSUGABkoBWF1ZGlvBHBhdGgVDBYGFlwWbibYAUkcFQAVABUCADwWGBkGGTYAAgQAAAAmABwVDBklBgAZGARw" +
    "YXRoFQwWBhZaFmwmxgJJHBUAFQAVAgA8FhAZBhkmAAYAAAAmABwVDBklBgAZGAhzZW50ZW5jZRUMFgYWaBZ6JrIDSRwVABUA" +
    "FQIAPBYeGQYZJgAGAAAAJgAcFQoZJQYAGRgKc3RhcnRfdGltZRUMFgYWYhZsJqwESRwVABUAFQIAPCkGGSYABgAAACYAHBUE" +
    "GSUGABkYCnNwZWFrZXJfaWQVDBYGFmIWbCaYBUkcFQAVABUCADwpBhkmAAYAAAAW1AYWBiYIFvwFACggcGFycXVldC1jcHAt" +
    "YXJyb3cgdmVyc2lvbiAyNi4wLjEZbBwAABwAABwAABwAABwAABwAAAAHAgAAUEFSMQ==",
  "base64",
);
