import { describe, expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { Resampler, resample, resampledLength } from "./resample.js";

const tone = (hertz: number, rate: number, length: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / rate));

/** The largest difference behind the first and before the last tenth of a second, where silence is not near. */
function difference(actual: Float32Array, expected: Float32Array, rate: number): number {
  let largest = 0;
  for (let i = Math.ceil(rate / 10); i < actual.length - rate / 10; i++)
    largest = Math.max(largest, Math.abs(actual[i]! - expected[i]!));
  return largest;
}

const decibels = (ratio: number) => 20 * Math.log10(ratio);

const RATES = [48000, 44100, 22050, 8000, 11025, 96000, 12345, 32000, 47952];

describe("resample", () => {
  it.each(RATES)(
    "passes tones up to 0.9 of the lower Nyquist frequency from %i Hz: same size, same place",
    (rate) => {
      const nyquist = Math.min(rate, 16000) / 2;
      for (const share of [0.01, 0.1, 0.37, 0.6, 0.8, 0.9]) {
        const hertz = share * nyquist;
        const resampled = resample(tone(hertz, rate, rate), rate, 16000);
        // A ripple of 0.0001 dB is a difference of 1.2e-5; float32 alone makes 6e-8.
        expect(
          difference(resampled, tone(hertz, 16000, resampled.length), 16000),
          `${hertz} Hz`,
        ).toBeLessThan(1.2e-5);
      }
    },
  );

  it.each(RATES.filter((rate) => rate > 16000))("keeps out what would alias from %i Hz", (rate) => {
    for (const hertz of [8000, 8010, 8300, 9000, 10500, 0.49 * rate]) {
      const resampled = resample(tone(hertz, rate, rate), rate, 16000);
      const silence = new Float32Array(resampled.length);
      expect(decibels(difference(resampled, silence, 16000)), `${hertz} Hz`).toBeLessThan(-105);
    }
  });

  it.each(RATES.filter((rate) => rate < 16000))(
    "makes no images above the Nyquist frequency of %i Hz",
    (rate) => {
      // Back and forth: what an image had added would not come back as the tone.
      const original = tone(0.9 * (rate / 2), rate, rate);
      const back = resample(resample(original, rate, 16000), 16000, rate);
      expect(difference(back, original, rate)).toBeLessThan(2.5e-5);
    },
  );

  it("delays nothing: a pulse stays symmetrical around its place", () => {
    for (const rate of [48000, 44100, 8000]) {
      const pulse = new Float32Array(2 * rate);
      pulse[rate] = 1;
      const resampled = resample(pulse, rate, 16000);
      for (let i = 1; i < 500; i++) expect(resampled[16000 + i]).toBeCloseTo(resampled[16000 - i]!, 7);
    }
  });

  it("makes ceil(n * to / from) samples, finite, of any number and rate", () => {
    const random = new Random(4, "resample");
    for (let i = 0; i < 200; i++) {
      const from = i < 20 ? [1000, 768_000][i % 2]! : 1000 + random.integer(200_000);
      const n = random.integer(i % 3 ? 50 : 3000);
      const resampled = resample(
        Float32Array.from({ length: n }, () => random.uniform() - 0.5),
        from,
        16000,
      );
      expect(resampled).toHaveLength(Math.ceil((n * 16000) / from));
      expect(resampled).toHaveLength(resampledLength(n, from, 16000));
      expect(resampled.every(Number.isFinite), `${n} samples at ${from} Hz`).toBe(true);
    }
  });

  it("keeps a constant to some roundings of float32, and returns equal rates as they are", () => {
    const constant = resample(new Float32Array(44100).fill(0.5), 44100, 16000);
    expect(difference(constant, new Float32Array(constant.length).fill(0.5), 16000)).toBeLessThan(
      4 * 2 ** -24,
    );
    const samples = Float32Array.of(1, 2);
    expect(resample(samples, 16000, 16000)).toBe(samples);
  });

  it("refuses absurd rates", () => {
    for (const rate of [0, 999, 768_001, 16000.5, Number.NaN])
      expect(() => resample(new Float32Array(1), rate, 16000)).toThrow("from 1000 to 768000 Hz");
  });
});

describe("Resampler", () => {
  it("gives to the bit what resample gives, wherever the signal is divided", () => {
    const random = new Random(5, "resampler");
    for (const from of [...RATES, 1000, 16000, 31999, 768_000])
      for (const longest of [1, 7, 300, 5000]) {
        const n = random.integer(longest === 1 ? 300 : 4000);
        const samples = Float32Array.from({ length: n }, () => random.uniform() - 0.5);
        const resampler = new Resampler(from, 16000);
        const parts: number[] = [];
        for (let at = 0; at < n; ) {
          const length = Math.min(n - at, random.integer(longest + 1));
          parts.push(...resampler.push(samples.slice(at, at + length)));
          at += length;
        }
        parts.push(...resampler.end());
        expect(Float32Array.from(parts), `${n} samples at ${from} Hz`).toEqual(
          resample(samples, from, 16000),
        );
      }
  });
});
