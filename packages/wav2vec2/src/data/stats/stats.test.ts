import { describe, expect, it } from "vitest";
import { rasterize } from "../../pages/charts/raster.js";
import { splitStats } from "./corpus-stats.js";
import { distribution, histogram } from "./distribution.js";
import { drawStats } from "./draw.js";

describe("distribution", () => {
  it("interpolates quantiles as numpy does", () => {
    // numpy.quantile([1, 2, 4, 8], [0.05, 0.5, 0.95])
    const { p5, p95, ...others } = distribution([8, 1, 4, 2]);
    expect(others).toEqual({ min: 1, median: 3, mean: 3.75, max: 8 });
    expect(p5).toBeCloseTo(1.15, 12);
    expect(p95).toBeCloseTo(7.4, 12);
  });

  it("is zeros for nothing", () => {
    expect(Object.values(distribution([]))).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

describe("histogram", () => {
  it("counts every value in its bin, in as many bins as it may have", () => {
    for (const [most, values] of [
      [10, [0, 0.3, 9.99, 10]],
      [25, [1.1, 34.9, 12]],
      [3, [0.001]],
      [5, [1e6, 3]],
    ] as const) {
      const { width, counts } = histogram(values, most);
      expect(counts.length).toBeLessThanOrEqual(most);
      expect(counts.reduce((sum, value) => sum + value, 0)).toBe(values.length);
      for (const value of values) expect(counts[Math.floor(value / width)]).toBeGreaterThan(0);
      expect(String(width)).toMatch(/^(0\.0*)?[125]0*$/);
    }
    expect(histogram([0, 0.3, 9.99, 10], 10)).toEqual({ width: 2, counts: [2, 0, 0, 0, 1, 1] });
  });
});

const clip = (id: string, seconds: number, speaker?: string, text?: string) => ({
  id,
  path: `${id}.flac`,
  samples: seconds * 16000,
  seconds,
  ...(speaker !== undefined && { speaker }),
  ...(text !== undefined && { text }),
});

const labelled = splitStats("train", [
  clip("a", 3600, "s1", "AB A"),
  clip("b", 1800, "s2", "B"),
  clip("c", 1800, "s1", "A"),
]);

describe("splitStats", () => {
  it("adds up hours, speakers, words and characters", () => {
    expect(labelled).toMatchObject({ name: "train", utterances: 3, hours: 2 });
    expect(labelled.speakers).toEqual([
      { speaker: "s1", hours: 1.5 },
      { speaker: "s2", hours: 0.5 },
    ]);
    expect(labelled.minutesPerSpeaker).toMatchObject({ min: 30, median: 60, max: 90 });
    expect(labelled.transcripts).toMatchObject({ words: 4, distinctWords: 3 });
    expect(labelled.transcripts!.characters).toEqual([
      { character: "A", count: 3 },
      { character: "B", count: 2 },
      { character: " ", count: 1 },
    ]);
    expect(labelled.transcripts!.charactersPerSecond.max).toBeCloseTo(4 / 3600, 12);
  });

  it("tells of unlabelled speech what there is", () => {
    const stats = splitStats("all", [clip("a", 2)]);
    expect(stats.speakers).toEqual([]);
    expect(stats).not.toHaveProperty("transcripts");
    expect(splitStats("none", [])).toMatchObject({ utterances: 0, hours: 0 });
  });
});

describe("drawStats", () => {
  it("titles every chart and names its axes with units, in text that XML can hold", async () => {
    const svg = await drawStats([
      { ...labelled, name: "R&D <1>" },
      splitStats("unlabelled", [clip("a", 2, "someone with a long name"), clip("b", 3)]),
    ]);
    for (const text of [
      "R&amp;D &lt;1&gt;: 3 utterances, 2.00 hours, 2 speakers, 4 words",
      "unlabelled: 2 utterances, 0.00 hours, 1 speakers",
      "length of an utterance (s)",
      "speech (minutes)",
      "share of all (%)",
      "someone…",
    ])
      expect(svg).toContain(text);
    expect(svg.match(/>Durations</g)).toHaveLength(2);
    expect(svg.match(/>Characters</g)).toHaveLength(1);
  });
});

describe("rasterize", () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"></svg>';

  it("refuses to draw text without a font", async () => {
    await expect(rasterize(svg, { loadSystemFonts: false })).rejects.toThrow(
      "A PNG must be drawn with a font, but this system has none.",
    );
  });

  it("draws twice as large where there is one", async (context) => {
    const png = await rasterize(svg).catch(() => context.skip("this system has no font"));
    const header = Buffer.from(png);
    expect(header.toString("latin1", 1, 4)).toBe("PNG");
    expect([header.readUInt32BE(16), header.readUInt32BE(20)]).toEqual([60, 40]);
  });
});
