import { FONT_FAMILY, rasterize } from "../../pages/charts/raster.js";
import { escapeHtml } from "../../pages/html.js";
import type { CodedClip } from "../coded-clip.js";
import { codebookMaps } from "./codebooks/codebook-map.js";
import { marks, roundTimes, shade, shownPart, strip, wave } from "./codebooks/coded-clip-drawing.js";
import type { Rows } from "./metric-series.js";

/** A drawing as services show it. */
export interface Picture {
  png: Uint8Array;
  /** Pixels. */
  width: number;
  height: number;
}

const MARGIN = 16;
const TITLE = 44;
const AXIS = 24;
const MAP = { width: 420, height: 320 };
const TRACKS = { left: 110, width: 800, gap: 6 };
const STYLE = `text { font-family: ${FONT_FAMILY}; font-size: 13px; fill: #5b6675; }
.title { font-size: 15px; font-weight: 600; fill: #1c2430; }
.masked { fill: #c2500a; opacity: 0.25; }
.sound { fill: #1d5fd1; }
.found { fill: #1a7f37; }
.missed { fill: #c62828; }
.strip, .marks { shape-rendering: crispEdges; }`;

/**
 * The maps of all codebooks side by side, over the validations so far.
 *
 * @param rows the lines of `codebooks.jsonl`
 * @returns nothing where there are none
 * @throws UserError where the system has no font
 */
export async function codebookPicture(rows: Rows): Promise<Picture | undefined> {
  const maps = codebookMaps(rows);
  if (maps.length === 0) return undefined;
  const width = MARGIN + maps.length * (MAP.width + MARGIN);
  const drawn = maps.map(({ picture, first, last, chosen }, group) => {
    const left = MARGIN + group * (MAP.width + MARGIN);
    const bottom = TITLE + MAP.height + 17;
    return `<text class="title" x="${left}" y="22">Codebook ${group}</text><text x="${left}" y="39">${chosen}</text>
<image x="${left}" y="${TITLE}" width="${MAP.width}" height="${MAP.height}" preserveAspectRatio="none" image-rendering="optimizeSpeed" xlink:href="${picture}"/>
<rect x="${left}" y="${TITLE}" width="${MAP.width}" height="${MAP.height}" fill="none" stroke="#dfe4ea"/>
<text x="${left}" y="${bottom}">step ${first.toLocaleString("en")}</text><text x="${left + MAP.width}" y="${bottom}" text-anchor="end">${last.toLocaleString("en")}</text>`;
  });
  return await render(width, TITLE + MAP.height + AXIS, drawn.join("\n"));
}

/**
 * A clip of pre-training: waveform with the masked spans, the codes of each codebook, what was found again.
 *
 * @throws UserError where the system has no font
 */
export async function codedClipPicture(clip: CodedClip): Promise<Picture> {
  const { frames, seconds, frameSeconds, waveform, codes, spans, text } = shownPart(clip);
  const tracks = [
    { name: "waveform", kind: "wave", height: 90, units: 2, content: shade(spans) + wave(waveform, frames) },
    ...(codes[0] ?? []).map((_, group) => ({
      name: `codebook ${group}`,
      kind: "strip",
      height: 24,
      units: 1,
      content: strip(codes, group, frameSeconds),
    })),
    { name: "found", kind: "marks", height: 16, units: 1, content: marks(spans, clip.found) },
  ];
  const { left, width, gap } = TRACKS;
  let top = TITLE;
  const drawn = tracks.map(({ name, kind, height, units, content }) => {
    const at = top;
    top += height + gap;
    return `<text x="${MARGIN}" y="${at + height / 2 + 5}">${name}</text>
<svg class="${kind}" x="${left}" y="${at}" width="${width}" height="${height}" viewBox="0 0 ${frames} ${units}" preserveAspectRatio="none">${content}</svg>`;
  });
  const times = roundTimes(seconds).map(
    (at) => `<text x="${left + (at / seconds) * width}" y="${top + 12}">${at} s</text>`,
  );
  const title = `<text class="title" x="${MARGIN}" y="22">${escapeHtml(clip.id)}</text>
<text x="${MARGIN}" y="39">${text}</text>`;
  return await render(left + width + MARGIN, top + AXIS, [title, ...drawn, ...times].join("\n"));
}

async function render(width: number, height: number, content: string): Promise<Picture> {
  const png =
    await rasterize(`<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${height}">
<style>${STYLE}</style><rect width="${width}" height="${height}" fill="#fff"/>
${content}
</svg>`);
  const header = new DataView(png.buffer, png.byteOffset, png.byteLength);
  return { png, width: header.getUint32(16), height: header.getUint32(20) }; // of its first chunk
}
