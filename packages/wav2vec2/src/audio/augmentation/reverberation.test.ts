import { describe, expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { power } from "./power.js";
import { reverberate } from "./reverberation.js";

const random = new Random(5, "rooms");
const sound = (length: number) => Float32Array.from({ length }, () => random.uniform() - 0.5);

/** A decaying response whose largest sample is at `direct`. */
function room(length: number, direct: number): Float32Array {
  const response = sound(length).map((x, t) => x * Math.exp((-3 * t) / length));
  response[direct] = -0.8;
  return response;
}

/** The convolution term by term, at the clip's power. */
function direct(clip: Float32Array, response: Float32Array, delay: number): Float64Array {
  const wet = Float64Array.from(clip, (_, i) => {
    let sum = 0;
    for (let k = 0; k < response.length; k++) sum += response[k]! * (clip[i + delay - k] ?? 0);
    return sum;
  });
  const mean = wet.reduce((sum, x) => sum + x * x, 0) / wet.length;
  return wet.map((x) => x * Math.sqrt(power(clip) / mean));
}

describe("reverberation", () => {
  it.each([
    [1, 1, 0],
    [1, 50, 7],
    [500, 1, 0],
    [500, 2, 1],
    [777, 64, 0],
    [2000, 333, 40],
    [300, 1000, 900],
    [5000, 700, 699],
  ])("of %i samples by a response of %i with its peak at %i is the direct sum", (length, taps, delay) => {
    const clip = sound(length);
    const response = room(taps, delay);
    const before = [clip.slice(), response.slice()];
    const wet = reverberate(clip, response);
    const expected = direct(clip, response, delay);
    expect(wet).toHaveLength(length);
    for (let i = 0; i < length; i++) expect(Math.abs(wet[i]! - expected[i]!)).toBeLessThan(1e-6);
    expect([clip, response]).toEqual(before);
  });

  it("by a single sample, however late and loud, gives the clip back", () => {
    const clip = sound(900);
    const response = new Float32Array(400);
    response[321] = 0.02;
    const wet = reverberate(clip, response);
    for (let i = 0; i < clip.length; i++) expect(Math.abs(wet[i]! - clip[i]!)).toBeLessThan(1e-6);
  });

  it("keeps the power, and leaves silence alone", () => {
    const clip = sound(3000);
    expect(power(reverberate(clip, room(800, 30))) / power(clip)).toBeCloseTo(1, 6);
    const silence = new Float32Array(100);
    expect(reverberate(silence, room(10, 0))).toBe(silence);
    expect(reverberate(new Float32Array(0), room(10, 0))).toHaveLength(0);
  });

  it("refuses responses without a sound", () => {
    expect(() => reverberate(sound(9), new Float32Array(0))).toThrow("must hold a sound");
    expect(() => reverberate(sound(9), new Float32Array(5))).toThrow("must hold a sound");
  });
});
