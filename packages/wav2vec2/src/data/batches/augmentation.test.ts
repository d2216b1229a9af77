import { describe, expect, it } from "vitest";
import { addNoise } from "../../audio/augmentation/noise.js";
import { power } from "../../audio/augmentation/power.js";
import { reverberate } from "../../audio/augmentation/reverberation.js";
import { changeSpeed } from "../../audio/augmentation/speed.js";
import { changeVolume } from "../../audio/augmentation/volume.js";
import { ConfigurationError, UserError } from "../../errors.js";
import { Random } from "../random.js";
import { Augmentation, type AugmentationOptions } from "./augmentation.js";

const source = new Random(1, "sounds");
const sound = (length: number, scale = 0.5) =>
  Float32Array.from({ length }, () => scale * (2 * source.uniform() - 1));

const files: Record<string, Float32Array> = {
  "street.wav": sound(700),
  "café noise.flac": sound(5000),
  "room.wav": sound(60).map((x, t) => x * Math.exp(-t / 10)),
  "silent.wav": new Float32Array(50),
};
const read = async (path: string) => files[path] ?? new Float32Array(16000 * 20 + 1).fill(0.1); // long.wav
const of = (id: string, epoch = 0) => new Random(7, "augmentation", epoch, id);

const ALL: AugmentationOptions = {
  speedPerturbation: 0.1,
  noise: { files: ["street.wav", "café noise.flac"], probability: 0.5, snrDb: [5, 20] },
  reverberation: { files: ["room.wav"], probability: 0.5 },
  volume: { db: [-6, 6], probability: 0.5 },
};

describe("Augmentation", () => {
  it("returns the same samples where all is off", async () => {
    const clip = sound(500);
    const off = { ...ALL, speedPerturbation: 0 };
    const never = {
      noise: { ...off.noise!, probability: 0 },
      reverberation: { ...off.reverberation!, probability: 0 },
      volume: { ...off.volume!, probability: 0 },
    };
    for (const options of [{}, { speedPerturbation: 0 }, never]) {
      expect(await new Augmentation(options).apply(clip, of("a"), read)).toBe(clip);
    }
  });

  it("depends on the random numbers alone, and leaves the clip, noises and responses as they were", async () => {
    const clips = Array.from({ length: 30 }, (_, i) => ({ id: `${i}`, samples: sound(800 + i) }));
    const before = structuredClone([clips, files]);
    const all = async (order: typeof clips, epoch: number) => {
      const augmentation = new Augmentation(structuredClone(ALL));
      const results = new Map<string, Float32Array>();
      for (const { id, samples } of order) {
        results.set(id, await augmentation.apply(samples, of(id, epoch), read));
      }
      return clips.map(({ id }) => results.get(id));
    };
    const first = await all(clips, 0);
    expect(await all(clips.toReversed(), 0)).toEqual(first);
    expect(await all(clips, 1)).not.toEqual(first);
    expect([clips, files]).toEqual(before);
  });

  it("does speed, room, noise and volume in this order", async () => {
    const clip = sound(900);
    const random = of("a");
    const always = (options: AugmentationOptions) => new Augmentation(options).apply(clip, random, read);
    const result = await always({
      speedPerturbation: 0.1,
      noise: { files: ["street.wav"], probability: 1, snrDb: [12, 12] },
      reverberation: { files: ["room.wav"], probability: 1 },
      volume: { db: [8, 8], probability: 1 },
    });
    const draws = of("a");
    let expected = changeSpeed(clip, 0.9 + 0.2 * draws.uniform());
    draws.uniform();
    draws.integer(1);
    expected = reverberate(expected, files["room.wav"]!);
    draws.uniform();
    draws.integer(1);
    const offset = draws.integer(700);
    expected = changeVolume(addNoise(expected, files["street.wav"]!, 12, offset), 8);
    expect(result).toEqual(expected);
  });

  it("draws as often and as far as it is told", async () => {
    const clip = sound(300);
    const trials = 600;
    let louder = 0;
    const factors: number[] = [];
    const ratios: number[] = [];
    for (let i = 0; i < trials; i++) {
      const volume = new Augmentation({ volume: { db: [-3, -3], probability: 0.3 } });
      if ((await volume.apply(clip, of(`${i}`), read)) !== clip) louder++;
      const speed = new Augmentation({ speedPerturbation: 0.2 });
      factors.push(clip.length / (await speed.apply(clip, of(`${i}`), read)).length);
      const noise = new Augmentation({ noise: { ...ALL.noise!, probability: 1 } });
      const added = (await noise.apply(clip, of(`${i}`), read)).map((x, t) => x - clip[t]!);
      ratios.push(10 * Math.log10(power(clip) / power(added)));
    }
    expect(Math.abs(louder / trials - 0.3)).toBeLessThan(0.08);
    for (const [values, lowest, highest] of [
      [factors, 0.8, 1.2],
      [ratios, 5, 20],
    ] as const) {
      const mean = values.reduce((sum, value) => sum + value, 0) / trials;
      const width = highest - lowest;
      expect(Math.min(...values)).toBeGreaterThan(lowest - 0.01 * width);
      expect(Math.max(...values)).toBeLessThan(highest + 0.01 * width);
      expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan(0.95 * width);
      expect(Math.abs(mean - (lowest + highest) / 2)).toBeLessThan(0.05 * width);
    }
  });

  it("names files that are no impulse responses", async () => {
    for (const [file, message] of [
      ["silent.wav", "silent.wav must be an impulse response, but is silent"],
      ["long.wav", "long.wav must be an impulse response of at most 20 s"],
    ] as const) {
      const augmentation = new Augmentation({ reverberation: { files: [file], probability: 1 } });
      const applied = augmentation.apply(sound(100), of("a"), read);
      await expect(applied).rejects.toThrow(UserError);
      await expect(applied).rejects.toThrow(message);
    }
  });

  it("reads files itself where nobody else does", async () => {
    const options = { noise: { files: ["/nowhere/noise.wav"], probability: 1, snrDb: [5, 5] as const } };
    await expect(new Augmentation(options).apply(sound(10), of("a"))).rejects.toThrow("/nowhere/noise.wav");
  });

  it.each([
    [{ speedPerturbation: 1 }, "Speed perturbation"],
    [{ noise: { files: [], probability: 1, snrDb: [0, 1] } }, "files for noise"],
    [{ noise: { files: ["a"], probability: 1, snrDb: [5, 1] } }, "signal-to-noise ratios"],
    [{ reverberation: { files: ["a"], probability: 1.5 } }, "probability of reverberation"],
    [{ volume: { db: [0, Number.NaN], probability: 1 } }, "changes of volume"],
  ] as [AugmentationOptions, string][])("refuses %j", (options, message) => {
    expect(() => new Augmentation(options)).toThrow(ConfigurationError);
    expect(() => new Augmentation(options)).toThrow(message);
  });
});
