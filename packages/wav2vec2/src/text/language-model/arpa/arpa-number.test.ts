import { describe, expect, it } from "vitest";
import { Random } from "../../../data/random.js";
import { readNumber, shortestFloat32 } from "./arpa-number.js";

function read(text: string): number {
  const bytes = Buffer.from(`<${text}>`);
  return readNumber(bytes, 1, bytes.length - 1);
}

describe("readNumber", () => {
  it("reads what Number reads", () => {
    const random = new Random(6, "arpa-number");
    const texts = [
      "0",
      "-0",
      "+1",
      "-99",
      "1.",
      ".5",
      "-1e-05",
      "2.5E+3",
      "-0.30103",
      "123456789012345678901",
    ];
    for (let i = 0; i < 2000; i++) {
      const value = (random.uniform() - 0.5) * 10 ** Math.floor(12 * random.uniform() - 6);
      texts.push(String(value), value.toFixed(7), value.toPrecision(15), String(Math.fround(value)));
    }
    for (const text of texts) expect(read(text), text).toBe(Number(text));
  });

  it("knows infinities by their usual names and nothing else", () => {
    expect(read("-inf")).toBe(-Infinity);
    expect(read("Infinity")).toBe(Infinity);
    for (const text of ["", "-", ".", "1.2.3", "1,5", "0x10", "nan", "1e", "--1", "1 2"])
      expect(read(text), text).toBeNaN();
  });
});

describe("shortestFloat32", () => {
  it("gives what is read as the same float32, without digits that are not needed", () => {
    const random = new Random(6, "shortest");
    for (let i = 0; i < 5000; i++) {
      const value = Math.fround(-(10 ** (6 * random.uniform() - 4)) * random.uniform());
      const text = shortestFloat32(value);
      expect(Math.fround(Number(text)), text).toBe(value);
      const digits = text
        .replace(/e.*/, "")
        .replace(/^-?0?\.?0*/, "")
        .replace(".", "").length;
      expect(digits).toBeLessThanOrEqual(9);
      if (digits > 6) expect(Math.fround(Number(value.toPrecision(digits - 1))), text).not.toBe(value);
    }
    expect([0, -1, -0.5, -99, Math.fround(-1.2)].map(shortestFloat32)).toEqual([
      "0",
      "-1",
      "-0.5",
      "-99",
      "-1.2",
    ]);
  });
});
