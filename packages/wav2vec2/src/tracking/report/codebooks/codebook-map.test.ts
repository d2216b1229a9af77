import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Random } from "../../../data/random.js";
import { codebookSection, entriesChart } from "./codebook-map.js";

/** The map of a codebook as it stands in the page: a colour's number for each row and column. */
function readMaps(html: string): { width: number; rows: number[][]; caption: string }[] {
  const figures = [...html.matchAll(/<figcaption>.*?<span[^>]*>(.*?)<\/span>[\s\S]*?base64,([^"]*)"/g)];
  return figures.map(([, caption, base64]) => {
    const png = Buffer.from(base64!, "base64");
    const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
    const pixels = inflateSync(png.subarray(png.indexOf("IDAT") + 4, -16));
    const rows = Array.from({ length: height }, (_, y) => [
      ...pixels.subarray(y * (width + 1) + 1, (y + 1) * (width + 1)),
    ]);
    return { width, rows, caption: caption! };
  });
}

describe("codebookSection", () => {
  it("draws an entry a row, the most used at the end on top, and leaves out those not chosen", () => {
    const html = codebookSection([
      {
        step: 10,
        counts: [
          [0, 8, 8, 0],
          [1, 1],
        ],
      },
      {
        step: 20,
        counts: [
          [0, 2, 8, 6],
          [0, 5],
        ],
      },
    ]);
    const [first, second] = readMaps(html);
    expect(first!.caption).toBe("3 of 4 entries chosen at the end");
    expect(second!.caption).toBe("1 of 2 entries chosen at the end");
    // Columns are validations; entries 2, 3, 1 and 0 from the top.
    expect(first!.rows.map((row) => row.map((level) => level > 0))).toEqual([
      [true, true],
      [false, true],
      [true, true],
      [false, false],
    ]);
    expect(first!.rows[0]![1]).toBeGreaterThan(first!.rows[1]![1]!);
    expect(first!.rows[1]![1]).toBeGreaterThan(first!.rows[2]![1]!);
    expect(html).toContain("step 10");
  });

  it("stays small for two codebooks of 320 entries and any number of validations", () => {
    const random = new Random(1, "codebooks");
    const rows = Array.from({ length: 1000 }, (_, step) => ({
      step,
      counts: [0, 1].map(() => Array.from({ length: 320 }, () => random.integer(9) * random.integer(9))),
    }));
    const html = codebookSection(rows);
    const maps = readMaps(html);
    expect(maps.map(({ rows }) => rows.length)).toEqual([320, 320]);
    expect(maps.every(({ width }) => width <= 240)).toBe(true);
    expect(html.length).toBeLessThan(200_000);
  });

  it("leaves out validations of other codebooks, and lines without counts", () => {
    const html = codebookSection([
      { step: 5 },
      { step: 10, counts: [[1, 2, 3]] },
      { step: 20, counts: [[1, 2]] },
      { step: 30, counts: [[0, 0]] },
      { step: 40, counts: "none" },
    ]);
    const [map] = readMaps(html);
    expect(map).toMatchObject({ width: 2, caption: "0 of 2 entries chosen at the end" });
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
    expect(codebookSection([])).toBe("");
    expect(codebookSection([{ step: 1, counts: [] }])).toBe("");
  });
});

describe("entriesChart", () => {
  it("counts the entries that were chosen", () => {
    const { series, reference } = entriesChart([
      {
        step: 10,
        counts: [
          [0, 8, 8],
          [1, 1, 1],
        ],
      },
      {
        step: 20,
        counts: [
          [0, 0, 1],
          [0, 5, 1],
        ],
      },
    ]);
    expect(series.map(({ points }) => points)).toEqual([
      [
        { x: 10, y: 2 },
        { x: 20, y: 1 },
      ],
      [
        { x: 10, y: 3 },
        { x: 20, y: 2 },
      ],
    ]);
    expect(reference?.value).toBe(3);
  });
});
