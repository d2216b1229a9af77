import { FORMATS } from "../../../pages/format.js";
import { escapeHtml } from "../../../pages/html.js";
import type { CodedClip } from "../../coded-clip.js";
import { playOf, type RunClips } from "../clip-urls.js";
import type { Rows } from "../metric-series.js";

const MOST_CLIPS = 6;
/** More frames could not be told apart, and would make the page heavy; the rest of a clip is left out. */
const MOST_FRAMES = 500;
/** Labels on the axis of time, at most. */
const MOST_LABELS = 10;

/**
 * Some clips of the last validation: waveform with the masked spans, the code of every codebook for each frame, and
 * which masked frames were found again.
 *
 * @param rows the lines of `coded-clips.jsonl`
 */
export function codedClipSection(rows: Rows, { urls }: RunClips): string {
  const clips = shownCodedClips(rows).filter(isCodedClip);
  const [last] = clips;
  if (!last) return "";
  return `<section><h2>Clips of the validation at step ${last.step.toLocaleString("en")}</h2>
<p class="legend"><span class="swatch masked"></span>hidden from the model<span class="swatch found"></span>found again among the
distractors<span class="swatch missed"></span>not found<br>Each colour of a codebook is an entry; point at it for its number and time.</p>
${clips.map((clip) => drawCodedClip(clip, playOf(clip, urls))).join("\n")}</section>`;
}

/** The lines of `coded-clips.jsonl` that a report shows: of the last validation. */
export function shownCodedClips(rows: Rows): Rows {
  return rows.filter(({ step }) => step === rows.at(-1)?.step).slice(0, MOST_CLIPS);
}

function isCodedClip(row: Rows[number]): row is Rows[number] & CodedClip {
  const { id, seconds, waveform, masked, codes, found } = row as Partial<CodedClip>;
  return (
    typeof id === "string" &&
    typeof seconds === "number" &&
    [waveform, masked, codes, found].every(Array.isArray) &&
    codes!.length > 0
  );
}

/** What a drawing shows of a clip: its first frames, and a line about it. */
export function shownPart({ seconds, waveform, masked, codes, found }: CodedClip) {
  const frames = Math.min(codes.length, MOST_FRAMES);
  const share = frames / codes.length;
  const rest = share < 1 ? `, the first ${(seconds * share).toFixed(1)} s drawn` : "";
  return {
    frames,
    seconds: seconds * share,
    frameSeconds: seconds / codes.length,
    waveform: waveform.slice(0, Math.ceil(waveform.length * share)),
    codes: codes.slice(0, frames),
    spans: masked
      .filter(([first]) => first < frames)
      .map(([first, behind]) => [first, Math.min(behind, frames)] as const),
    text: `${seconds.toFixed(1)} s, ${foundText({ masked, found })}${rest}`,
  };
}

/** A clip as a `<figure>`: drawings one below the other over the same time. @param play HTML of a button */
function drawCodedClip(clip: CodedClip, play: string): string {
  const { frames, seconds, frameSeconds, waveform, codes, spans, text } = shownPart(clip);
  const groups = codes[0]!.map((_, group) => group);
  return `<figure class="clip" data-seconds="${seconds.toFixed(3)}">
<figcaption>${play}<b>${escapeHtml(clip.id)}</b><span class="key-text">${text}</span></figcaption>
<div class="tracks">
${track("waveform", "wave", `0 0 ${frames} 2`, shade(spans) + wave(waveform, frames))}
${groups.map((group) => track(`codebook ${group}`, "strip", `0 0 ${frames} 1`, strip(codes, group, frameSeconds))).join("\n")}
${track("found", "marks", `0 0 ${frames} 1`, marks(spans, clip.found))}
<span></span><div class="time">${labels(seconds)}</div>
<i class="playhead" style="grid-row: 1 / span ${groups.length + 2}"></i>
</div>
</figure>`;
}

/** How many of the masked frames were found. */
function foundText({ masked, found }: Pick<CodedClip, "masked" | "found">): string {
  const hidden = masked.flatMap(([first, behind]) => indices(first, behind));
  const hit = hidden.filter((frame) => found[frame]).length;
  return hidden.length === 0
    ? "nothing masked"
    : `${FORMATS.percent(hit / hidden.length)} of ${hidden.length} masked frames found`;
}

function track(name: string, kind: string, viewBox: string, content: string): string {
  return `<span>${name}</span><svg class="${kind}" viewBox="${viewBox}" preserveAspectRatio="none" role="img" aria-label="${name}">${content}</svg>`;
}

/** Masked spans behind a wave, as SVG two units high. */
export function shade(spans: readonly (readonly [number, number])[]): string {
  return spans
    .map(([first, behind]) => `<path class="masked" d="M${first} 0H${behind}V2H${first}z"/>`)
    .join("");
}

/** The area between lowest and highest samples, as high as the drawing. */
export function wave(waveform: CodedClip["waveform"], frames: number): string {
  const loudest = Math.max(...waveform.flat().map(Math.abs)) || 1;
  const place = (piece: number, sample: number): string =>
    `${((piece * frames) / waveform.length).toFixed(1)} ${(1 - sample / loudest).toFixed(3)}`;
  const tops = waveform.map(([, highest], piece) => place(piece + 0.5, highest));
  const bottoms = waveform.map(([lowest], piece) => place(piece + 0.5, lowest));
  return waveform.length > 0
    ? `<path class="sound" d="M${[...tops, ...bottoms.reverse()].join("L")}z"/>`
    : "";
}

/** A box for each run of an entry. */
export function strip(codes: CodedClip["codes"], group: number, frameSeconds: number): string {
  const entries = codes.map((chosen) => chosen[group]!);
  const firsts = indices(0, entries.length).filter((frame) => entries[frame] !== entries[frame - 1]);
  return firsts
    .map((first, run) => {
      const behind = firsts[run + 1] ?? entries.length;
      const entry = entries[first]!;
      const title = `${(first * frameSeconds).toFixed(2)}–${(behind * frameSeconds).toFixed(2)} s: entry ${entry}`;
      return `<path fill="${colorOf(entry)}" d="M${first} 0H${behind}V1H${first}z"><title>${title}</title></path>`;
    })
    .join("");
}

/** Neighbouring entries get hues far apart (the golden angle), and three lightnesses tell more of them apart. */
function colorOf(entry: number): string {
  return `hsl(${Math.round((entry * 137.508) % 360)} 60% ${[42, 55, 68][entry % 3]}%)`;
}

/** High marks for masked frames that were found, low ones for those that were not. */
export function marks(spans: readonly (readonly [number, number])[], found: CodedClip["found"]): string {
  const box = (kind: string, frames: readonly number[], top: number): string =>
    frames.length > 0
      ? `<path class="${kind}" d="${frames.map((frame) => `M${frame} ${top}h1V1h-1z`).join("")}"/>`
      : "";
  const frames = spans.flatMap(([first, behind]) => indices(first, behind));
  return (
    box(
      "found",
      frames.filter((frame) => found[frame]),
      0,
    ) +
    box(
      "missed",
      frames.filter((frame) => !found[frame]),
      0.6,
    )
  );
}

/** Round times along the axis. */
function labels(seconds: number): string {
  return roundTimes(seconds)
    .map((at) => `<span style="left:${((at / seconds) * 100).toFixed(2)}%">${at} s</span>`)
    .join("");
}

/** Seconds to mark on the axis of so many. */
export function roundTimes(seconds: number): number[] {
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10].find((candidate) => seconds / candidate <= MOST_LABELS) ?? 60;
  return indices(0, Math.floor(seconds / step) + 1)
    .map((index) => Number((index * step).toFixed(1)))
    .filter((at) => at < seconds * 0.97); // the last would stand over the edge
}

function indices(first: number, behind: number): number[] {
  return Array.from({ length: Math.max(0, behind - first) }, (_, index) => first + index);
}
