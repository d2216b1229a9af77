import { describe, expect, it } from "vitest";
import { COLORS } from "../colors.js";
import type { Chart } from "./chart.js";
import { chartPicture } from "./chart-picture.js";
import { rasterize } from "./raster.js";

const chart = (names: readonly string[]): Chart => ({
  title: "Loss & more",
  format: "short",
  series: names.map((name, index) => ({
    name,
    tone: index % 2 ? 2 : 1,
    points: [
      { x: 1, y: index },
      { x: 2, y: 3 },
    ],
  })),
});

describe("chartPicture", () => {
  it("needs no stylesheet: the pixels have the curve's colour", async (context) => {
    const svg = chartPicture(chart(["a"]));
    expect(svg).not.toContain("var(");
    expect(svg).toContain("<title>Loss &amp; more</title>");
    expect(svg.match(/class="line/g)).toHaveLength(1); // one curve needs no key
    const png = await rasterize(svg).catch(() => context.skip("this system has no font"));
    const { Resvg } = await import("@resvg/resvg-js");
    const { pixels, width, height } = new Resvg(svg).render();
    expect(Buffer.from(png).readUInt32BE(16)).toBe(2 * width);
    const colors = new Set<string>();
    for (let at = 0; at < width * height * 4; at += 4)
      colors.add(`#${pixels.subarray(at, at + 3).toString("hex")}`);
    expect(colors).toContain(COLORS.light.one);
    expect(colors).not.toContain(COLORS.light.two);
  });

  it("has as many rows of keys as the names need, inside the picture", () => {
    const svg = chartPicture(
      chart(Array.from({ length: 9 }, (_, index) => `a run of a long name, ${index}`)),
    );
    const lefts = [...svg.matchAll(/<path class="line tone\d" d="M(\d+(?:\.\d+)?) (\d+)h16/g)];
    expect(lefts).toHaveLength(9);
    expect(new Set(lefts.map(([, , top]) => top)).size).toBeGreaterThan(2);
    for (const [, left] of lefts) expect(Number(left)).toBeLessThan(400);
  });

  it("is nothing without points", () => {
    expect(chartPicture(chart([]))).toBe("");
  });
});
