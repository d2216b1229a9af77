import { expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { FlacKernel } from "./flac-kernel.js";

/** Rice codes as RFC 9639 writes them, behind as many ones as `lead` says. */
function riceCodes(values: Int32Array, parameter: number, lead: number): Uint8Array {
  let bits = "1".repeat(lead);
  for (const value of values) {
    const folded = value < 0 ? -2 * value - 1 : 2 * value;
    bits += `${"0".repeat(Math.floor(folded / 2 ** parameter))}1`;
    if (parameter > 0) bits += (folded % 2 ** parameter).toString(2).padStart(parameter, "0");
  }
  return Uint8Array.from(bits.match(/.{1,8}/g) ?? [], (byte) => Number.parseInt(byte.padEnd(8, "0"), 2));
}

it.each([0, 1, 5, 14, 20, 30])(
  "rice unfolds codes with the parameter %i, those that fit into no load too",
  (parameter) => {
    const random = new Random(8, "rice");
    for (const lead of [0, 3, 7])
      for (const longest of [2, 300]) {
        const values = Int32Array.from({ length: 100 }, (_, i) => {
          const folded =
            random.integer(i % 10 ? 2 : longest) * 2 ** parameter + random.integer(2 ** parameter);
          return Math.min(folded, 2 ** 31 - 1) * (random.integer(2) || -1) * 0.5;
        });
        const frame = riceCodes(values, parameter, lead);
        const kernel = new FlacKernel(frame, 1, values.length);
        const out = kernel.blocks[0]!;
        const position = kernel.rice(lead, parameter, out, 0, values.length);
        expect(out).toEqual(values);
        expect(Math.ceil(position / 8)).toBe(frame.length);
        const cut = new FlacKernel(frame.subarray(0, -9), 1, values.length);
        expect(() => cut.rice(lead, parameter, cut.blocks[0]!, 0, values.length)).toThrow(RangeError);
      }
  },
);

it("predict adds what 1 to 12 coefficients of the samples before make", () => {
  const random = new Random(9, "predict");
  for (let order = 1; order <= 12; order++)
    for (const length of [order, order + 1, 50]) {
      const coefficients = Int32Array.from({ length: 32 }, (_, j) =>
        j < order ? random.integer(2 ** 10) - 2 ** 9 : 0,
      );
      const residual = Int32Array.from({ length }, () => random.integer(2 ** 16) - 2 ** 15);
      const expected = residual.slice();
      for (let i = order; i < length; i++) {
        let sum = 0;
        for (let j = 0; j < order; j++) sum = (sum + Math.imul(coefficients[j]!, expected[i - 1 - j]!)) | 0;
        expected[i]! += sum >> 9;
      }
      const kernel = new FlacKernel(new Uint8Array(0), 2, length);
      const out = kernel.blocks[1]!;
      out.set(residual);
      kernel.predict(out, coefficients, order, 9);
      expect(out, `${order} coefficients, ${length} samples`).toEqual(expected);
      expect(kernel.scaled(out, 2 ** -15)).toEqual(
        Float32Array.from(expected, (sample) => sample * 2 ** -15),
      );
    }
});
