import { describe, expect, it } from "vitest";
import type { CodedClip } from "../../coded-clip.js";
import { NO_CLIPS } from "../clip-urls.js";
import type { Rows } from "../metric-series.js";
import { codedClipSection } from "./coded-clip-drawing.js";

const clip = (id: string, changes: Partial<CodedClip> = {}): Rows[number] => ({
  step: 20,
  id,
  seconds: 0.12,
  waveform: [
    [-0.5, 0.25],
    [0, 0],
    [-0.1, 0.1],
  ],
  masked: [[1, 4]],
  codes: [
    [3, 1],
    [3, 2],
    [3, 2],
    [7, 2],
    [7, 2],
    [0, 2],
  ],
  found: [false, true, false, true, false, false],
  ...changes,
});

describe("codedClipSection", () => {
  it("draws waveform, masked spans, a strip a codebook and what was found", () => {
    const html = codedClipSection([clip("a<b>")], NO_CLIPS);
    expect(html).toContain("Clips of the validation at step 20");
    expect(html).toContain("a&lt;b&gt;");
    expect(html).toContain("0.1 s, 66.7 % of 3 masked frames found<");
    expect(html).toContain('<path class="masked" d="M1 0H4V2H1z"/>');
    const titles = [...html.matchAll(/<title>(.*?)<\/title>/g)].map(([, text]) => text);
    expect(titles).toEqual([
      "0.00–0.06 s: entry 3",
      "0.06–0.10 s: entry 7",
      "0.10–0.12 s: entry 0",
      "0.00–0.02 s: entry 1",
      "0.02–0.12 s: entry 2",
    ]);
    expect(html).toContain('<path class="found" d="M1 0h1V1h-1zM3 0h1V1h-1z"/>');
    expect(html).toContain('<path class="missed" d="M2 0.6h1V1h-1z"/>');
    expect(html).toContain('d="M1.0 0.500L3.0 1.000L5.0 0.800L5.0 1.200L3.0 1.000L1.0 2.000z"');
  });

  it("shows at most six clips, of the last validation", () => {
    const early = { ...clip("early"), step: 10 };
    const html = codedClipSection(
      [early, ...Array.from({ length: 9 }, (_, index) => clip(`c${index}`))],
      NO_CLIPS,
    );
    expect(html.match(/<figure/g)).toHaveLength(6);
    expect(html).not.toContain("early");
  });

  it("draws the beginning of a long clip", () => {
    const frames = 3000;
    const html = codedClipSection(
      [
        clip("long", {
          seconds: 60,
          waveform: Array<[number, number]>(600).fill([-0.5, 0.5]),
          masked: [
            [495, 505],
            [2000, 2010],
          ],
          codes: Array.from({ length: frames }, (_, frame) => [frame % 320]),
          found: Array<boolean>(frames).fill(true),
        }),
      ],
      NO_CLIPS,
    );
    expect(html).toContain("60.0 s, 100 % of 20 masked frames found, the first 10.0 s drawn");
    expect(html).toContain('d="M495 0H500V2H495z"');
    expect(html).not.toContain("M2000");
    expect(html.match(/<title>/g)).toHaveLength(500);
  });

  it("has nothing to say of missing, empty or broken clips", () => {
    expect(codedClipSection([], NO_CLIPS)).toBe("");
    expect(codedClipSection([{ step: 20 }, { step: 20, id: "x" }], NO_CLIPS)).toBe("");
    expect(codedClipSection([clip("none", { codes: [], found: [] })], NO_CLIPS)).toBe("");
    const html = codedClipSection([clip("quiet", { waveform: [[0, 0]], masked: [], seconds: 0 })], NO_CLIPS);
    expect(html).toContain("nothing masked");
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
  });
});
