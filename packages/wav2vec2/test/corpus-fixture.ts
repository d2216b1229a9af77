import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { encodeFlac } from "../src/audio/flac/flac-writer.js";
import { encodeWav } from "../src/audio/wav/wav.js";

const made: string[] = [];
afterAll(() => {
  for (const root of made) rmSync(root, { recursive: true, force: true });
});

/** A directory for one test, with files put into it. It is there until the tests of the file have ended. */
export function corpusDirectory() {
  const root = mkdtempSync(join(tmpdir(), "corpus-"));
  made.push(root);
  const put = (path: string, contents: string | Uint8Array): string => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, contents);
    return file;
  };
  return { root, put, cache: join(root, ".cache") };
}

export function flac(samples: number, rate = 16000): Uint8Array {
  return encodeFlac(new Int16Array(samples).fill(3), rate);
}

export function wav(samples: number, rate = 16000): Uint8Array {
  return encodeWav(new Float32Array(samples).fill(0.1), rate);
}
