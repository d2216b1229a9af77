import { describe, expect, it } from "vitest";
import { resolveRecipe } from "../recipe/recipe.js";
import { drawShare, hoursOf } from "./training-run.js";

const clips = Array.from({ length: 50 }, (_, index) => ({
  id: `clip-${index}`,
  path: `${index}.flac`,
  samples: 16000 * (index + 1),
  seconds: index + 1,
}));

/** Places of the clips that are drawn. */
const draw = (seed: number, share: number, of = clips) =>
  drawShare(of, resolveRecipe({ seed, data: { root: "unused", train_share: share } })).map((clip) =>
    of.indexOf(clip),
  );

describe("a share of the clips", () => {
  const seeds = Array.from({ length: 300 }, (_, seed) => seed);

  it("is so many of them, each once and in their order", () => {
    for (const seed of seeds.slice(0, 20)) {
      const places = draw(seed, 0.2);
      expect(places).toHaveLength(10);
      expect(new Set(places).size).toBe(10);
      expect(places).toEqual([...places].sort((a, b) => a - b));
    }
    expect(draw(0, 0.25)).toHaveLength(13);
    expect(draw(0, 0.001)).toHaveLength(1);
    expect(draw(7, 1)).toEqual([...clips.keys()]);
  });

  it("is the same for a seed, and another for another", () => {
    expect(draw(3, 0.2)).toEqual(draw(3, 0.2));
    const drawn = seeds.slice(0, 20).map((seed) => draw(seed, 0.2).join());
    expect(new Set(drawn).size).toBe(20);
  });

  it("takes each clip as often", () => {
    const times = Array<number>(clips.length).fill(0);
    for (const seed of seeds) for (const place of draw(seed, 0.2)) times[place]!++;
    // 60 times expected, standard deviation 7
    expect(Math.min(...times)).toBeGreaterThan(30);
    expect(Math.max(...times)).toBeLessThan(90);
  });

  it("leaves the clips as they were", () => {
    const before = [...clips];
    draw(1, 0.5);
    expect(clips).toEqual(before);
  });
});

it("hours are those of all clips together, in hundredths", () => {
  expect(hoursOf(clips)).toBe("0.35"); // 50 * 51 / 2 = 1,275 s
  expect(hoursOf([...clips, { ...clips[0]!, seconds: 36_000 }])).toBe("10.35");
  expect(hoursOf([])).toBe("0.00");
});
