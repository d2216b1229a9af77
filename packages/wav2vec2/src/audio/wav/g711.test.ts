import { expect, it } from "vitest";
import { readings } from "../../../test/formats/audio-readings.js";
import { A_LAW, MU_LAW } from "./g711.js";

// As libsndfile 1.2.2 reads them, at 16 bits.
const CODES = [0, 1, 0x55, 0x7f, 0x80, 0xd5, 0xff, 0x2a, 0xaa];
it.each([
  ["A-law", A_LAW, [-5504, -5248, -8, -848, 5504, 8, 848, -32256, 32256], 1564672, 100139008],
  ["µ-law", MU_LAW, [-32124, -31100, -716, 0, 32124, 716, 0, -5372, 5372], 1532928, 98107392],
])("all codes of %s", (_, table, expected, sum, weighted) => {
  const integers = [...table].map((sample) => sample * 32768);
  expect(CODES.map((code) => integers[code]! + 0)).toEqual(expected.map((value) => value + 0));
  expect(integers.reduce((all, value) => all + Math.abs(value), 0)).toBe(sum);
  expect(integers.reduce((all, value, code) => all + value * code, 0)).toBe(weighted);
});

it.each([
  [6, A_LAW],
  [7, MU_LAW],
])("a WAV file of format %i is read", async (code, table) => {
  const codes = Uint8Array.from({ length: 3000 }, (_, i) => i);
  const header = Buffer.alloc(44);
  header.write("RIFF");
  header.writeUInt32LE(36 + codes.length, 4);
  header.write("WAVEfmt ", 8);
  for (const [at, value] of [
    [16, 16],
    [24, 16000],
    [28, 16000],
    [40, codes.length],
  ] as const)
    header.writeUInt32LE(value, at);
  for (const [at, value] of [
    [20, code],
    [22, 1],
    [32, 1],
    [34, 8],
  ] as const)
    header.writeUInt16LE(value, at);
  header.write("data", 36);
  const { samples, notes } = await readings(Buffer.concat([header, codes]), "telephone.wav");
  expect(notes).toEqual([]);
  expect([...samples!]).toEqual([...codes].map((value) => table[value]!));
});
