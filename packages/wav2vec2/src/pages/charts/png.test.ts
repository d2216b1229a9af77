import { inflateSync } from "node:zlib";
import { Resvg } from "@resvg/resvg-js";
import { describe, expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { type Color, indexedPng } from "./png.js";

const random = new Random(1, "png");
const COLORS: readonly Color[] = [
  [255, 0, 0, 255],
  [0, 255, 0, 255],
  [16, 32, 64, 255],
  [0, 0, 0, 0],
];

describe("indexedPng", () => {
  it("is a picture whose pixels another program reads as they were", () => {
    const [width, height] = [7, 5];
    const pixels = Uint8Array.from({ length: width * height }, () => random.integer(COLORS.length));
    const data = indexedPng(width, pixels, COLORS).toString("base64");
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${height}">
<image width="${width}" height="${height}" image-rendering="optimizeSpeed" xlink:href="data:image/png;base64,${data}"/></svg>`;
    const rendered = new Resvg(svg).render();
    expect([rendered.width, rendered.height]).toEqual([width, height]);
    expect([...rendered.pixels]).toEqual([...pixels].flatMap((pixel) => COLORS[pixel]!));
  });

  it("has checksums that are right", () => {
    // The only chunk that never differs: https://www.w3.org/TR/png-3/#11IEND
    const png = indexedPng(1, Uint8Array.of(0), COLORS);
    expect(png.subarray(-12).toString("hex")).toBe("0000000049454e44ae426082");
    const data = png.indexOf("IDAT") + 4;
    expect([...inflateSync(png.subarray(data, -16))]).toEqual([0, 0]);
  });
});
