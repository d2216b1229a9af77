import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../errors.js";
import { readAudio } from "./audio-file.js";
import { encodeFlac } from "./flac-writer.js";
import { encodeWav } from "./wav.js";

describe("readAudio", () => {
  const samples = Float32Array.from({ length: 500 }, (_, i) => Math.round(9000 * Math.sin(i / 5)) / 32768);
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "audio-"));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));
  const file = async (name: string, bytes: Uint8Array | string) => {
    const path = join(directory, name);
    await writeFile(path, bytes);
    return path;
  };

  it("tells FLAC and WAV apart by content, not by name", async () => {
    expect(await readAudio(await file("a.wav", encodeFlac(samples, 16000)))).toEqual(samples);
    expect(await readAudio(await file("b.flac", encodeWav(samples, 16000)))).toEqual(samples);
  });

  it("averages the channels", async () => {
    const stereo = encodeWav(Float32Array.of(0.5, -0.25, 0.125, 0.125), 16000);
    stereo[22] = 2; // two channels of two samples
    expect([...(await readAudio(await file("stereo.wav", stereo)))]).toEqual([0.125, 0.125]);
  });

  it("refuses another sample rate and says how to convert it", async () => {
    const path = await file("cd.flac", encodeFlac(samples, 44100));
    await expect(readAudio(path)).rejects.toThrow(
      `sample rate of ${path} must be 16000 Hz, but is 44100 Hz. Convert it with: ffmpeg -i ${path} -ar 16000 -ac 1 OUTPUT.flac`,
    );
  });

  it("refuses samples that are not finite", async () => {
    const bytes = encodeWav(new Float32Array(8), 16000);
    const view = new DataView(bytes.buffer);
    view.setUint16(20, 3, true); // float
    view.setUint16(34, 32, true); // of 32 bits: 4 samples
    view.setFloat32(44 + 8, Number.NaN, true);
    const path = await file("nan.wav", bytes);
    await expect(readAudio(path)).rejects.toThrow(`samples of ${path} must be finite, but sample 2 is NaN.`);
  });

  it.each([
    ["empty.flac", "", "must be an audio file, but is empty (0 bytes)"],
    ["notes.flac", "These are notes.", 'must be FLAC or WAV, but begins with "Thes"'],
    ["none.wav", encodeWav(new Float32Array(0), 16000), "must hold audio, but holds 0 samples"],
    [
      "cut.flac",
      encodeFlac(samples, 16000).subarray(0, 200),
      "is truncated or corrupt|no sample could be decoded",
    ],
  ])("refuses %s", async (name, bytes, reason) => {
    const path = await file(name, bytes);
    await expect(readAudio(path)).rejects.toThrow(UserError);
    await expect(readAudio(path)).rejects.toThrow(path);
    await expect(readAudio(path)).rejects.toThrow(new RegExp(reason.replace(/[()]/g, "\\$&")));
  });

  it("refuses a missing file", async () => {
    const path = join(directory, "missing.flac");
    await expect(readAudio(path)).rejects.toThrow(`${path} must be an audio file, but does not exist.`);
  });
});
