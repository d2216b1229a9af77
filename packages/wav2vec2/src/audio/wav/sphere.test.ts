import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readAudio, readAudioInfo } from "../audio-file.js";
import { streamAudio } from "../audio-stream.js";

const directory = mkdtempSync(join(tmpdir(), "sphere-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A NIST SPHERE file. */
function sphere(fields: Record<string, string | number>, body: Uint8Array): Buffer {
  const lines = Object.entries(fields).map(([key, value]) =>
    typeof value === "number" ? `${key} -i ${value}\n` : `${key} -s${value.length} ${value}\n`,
  );
  const header = `NIST_1A\n   1024\n${lines.join("")}end_head\n`;
  return Buffer.concat([Buffer.from(header.padEnd(1024, " ")), body]);
}

const MONO = { sample_rate: 16000, channel_count: 1 };

function put(name: string, contents: Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, contents);
  return path;
}

async function streamed(path: string): Promise<number[]> {
  const all: number[] = [];
  for await (const block of streamAudio(path)) all.push(...block);
  return all;
}

describe("NIST SPHERE", () => {
  it("PCM in either byte order, whole, in part and as a stream", async () => {
    const values = [1, -2, 300, -32768, 32767];
    const big = Buffer.alloc(10);
    const little = Buffer.alloc(10);
    for (const [i, value] of values.entries()) {
      big.writeInt16BE(value, 2 * i);
      little.writeInt16LE(value, 2 * i);
    }
    const expected = values.map((value) => value / 32768);
    for (const [order, body] of [
      ["10", big],
      ["01", little],
    ] as const) {
      const fields = { ...MONO, sample_count: 5, sample_n_bytes: 2, sample_byte_format: order };
      const path = put(`${order}.sph`, sphere({ ...fields, sample_coding: "pcm" }, body));
      expect([...(await readAudio(path))]).toEqual(expected);
      expect([...(await readAudio(path, { start: 1 / 16000, end: 3 / 16000 }))]).toEqual(
        expected.slice(1, 3),
      );
      expect(await streamed(path)).toEqual(expected);
      expect(await readAudioInfo(path)).toMatchObject({
        format: "nist-sphere",
        samples: 5,
        bitsPerSample: 16,
        channels: 1,
      });
    }
    const deep = Buffer.from([0x40, 0, 0, 0xc0, 0, 1]);
    const fields = { ...MONO, sample_n_bytes: 3, sample_byte_format: "210", sample_count: 2 };
    expect([...(await readAudio(put("24.sph", sphere(fields, deep))))]).toEqual([0.5, -0.5 + 2 ** -23]);
  });

  it("mu-law and A-law are G.711's", async () => {
    const all = Uint8Array.from({ length: 256 }, (_, code) => code);
    for (const [coding, first, sum] of [
      ["ulaw", [-32124, -31100, -30076], 98_107_392],
      ["alaw", [-5504, -5248, -6016], 100_139_008],
    ] as const) {
      const fields = { ...MONO, sample_count: 256, sample_n_bytes: 1, sample_coding: coding };
      const samples = await readAudio(put(`${coding}.sph`, sphere(fields, all)));
      const integers = Array.from(samples, (sample) => sample * 32768);
      expect(integers.slice(0, 3)).toEqual(first);
      expect(integers.reduce((total, value, i) => total + (i + 1) * value, 0)).toBe(sum);
    }
  });

  it("what is compressed is refused with the command, what is cut off as truncated", async () => {
    const fields = { ...MONO, sample_count: 5, sample_n_bytes: 2 };
    const body = Buffer.alloc(10);
    const coding = "pcm,embedded-shorten-v2.00";
    const compressed = put("sw 1.sph", sphere({ ...fields, sample_coding: coding }, body));
    await expect(readAudio(compressed)).rejects.toThrow(
      `holds ${coding} of 16 bits. Convert it with: sph2pipe -f wav '${compressed}' OUTPUT.wav`,
    );
    const cut = put("cut.sph", sphere(fields, body.subarray(0, 7)));
    await expect(readAudio(cut)).rejects.toThrow("10 bytes of samples by its header, but only 7 are there");
    await expect(streamed(cut)).rejects.toThrow("10 bytes of samples by its header, but only 7 are there");
    await expect(readAudio(put("no.sph", sphere({ sample_count: 5 }, body)))).rejects.toThrow(
      "must have a sample_rate in its NIST SPHERE header, but has none",
    );
    await expect(readAudio(put("x.sph", Buffer.from("NIST_1A\n   many\n")))).rejects.toThrow(
      "the size of its",
    );
  });

  it("numbers that none can be are told, and what is cut off behind a tag", async () => {
    const body = Buffer.alloc(10);
    for (const [key, value] of [
      ["sample_count", "many"],
      ["sample_count", "-5"],
      ["sample_rate", "0"],
      ["channel_count", "1.5"],
      ["channel_count", "4000000000"],
    ] as const) {
      const path = put("odd.sph", sphere({ ...MONO, [key]: value }, body));
      const told = { code: "ERR_AUDIO_CORRUPT", message: expect.stringContaining(`${key} that is a whole`) };
      await expect(readAudioInfo(path), `${key} ${value}`).rejects.toMatchObject(told);
      await expect(streamed(path), `${key} ${value}`).rejects.toMatchObject(told);
    }
    const tag = Buffer.concat([Buffer.from("ID3\x03\0\0\0\0\0\x20"), Buffer.alloc(32)]);
    const cut = Buffer.concat([tag, sphere({ ...MONO, sample_count: 5 }, body.subarray(0, 7))]);
    await expect(streamed(put("tagged.sph", cut))).rejects.toThrow("only 7 are there");
  });
});
