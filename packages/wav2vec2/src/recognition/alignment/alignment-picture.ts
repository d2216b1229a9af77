import { SAMPLE_RATE } from "../../audio/audio-file.js";
import { colorProperties } from "../../pages/colors.js";
import { escapeHtml } from "../../pages/html.js";
import { WILDCARD } from "../../text/alignment/forced-alignment.js";
import type { TimedWord } from "../../text/formats/transcript.js";
import type { Vocabulary } from "../../text/vocabulary.js";
import { drawableWaveform } from "../../tracking/coded-clip.js";
import type { Alignment } from "./align.js";

export interface AlignmentPictureOptions {
  /** The recording's name. */
  name: string;
  vocabulary: Vocabulary;
  secondsPerFrame: number;
}

const WIDTH = 1200;
const MARGIN = { left: 64, right: 20, top: 62, bottom: 16 };
const PLOT = WIDTH - MARGIN.left - MARGIN.right;
/** A strip shows at most so much, and is broken like a line of text. */
const STRIP_SECONDS = 8;
/** More would be heavy to draw; the rest of a recording is left out. */
const MOST_SECONDS = 120;
/** Heights within a strip. */
const WORDS = 40;
const WAVE = 84;
const ROW = 13;
const AXIS = 34;
/** Width of a word's letter, about. */
const LETTER = 9;
/** Probabilities below it cannot be seen. */
const FAINTEST = 0.03;

const STYLE = `
svg { ${colorProperties("light")} }
@media (prefers-color-scheme: dark) { svg { ${colorProperties("dark")} } }
text { font: 12px system-ui, sans-serif; fill: var(--soft); }
.title { font-size: 17px; font-weight: 600; fill: var(--text); }
.word { font-size: 13px; fill: var(--text); }
.back { fill: var(--card); }
.sound { fill: var(--one); stroke: var(--one); stroke-width: 0.5; }
.box { fill: var(--good); }
.edge { stroke: var(--good); stroke-width: 1; opacity: 0.6; }
.grid { stroke: var(--line); }
.heard { fill: var(--one); }
.path { fill: var(--two); }
.wild { fill: var(--two); opacity: 0.35; }
`;

/** A part of the recording, from the first frame to before the last. */
interface Strip {
  first: number;
  behind: number;
}

/**
 * An alignment as SVG, strip below strip: the words over the waveform, their boxes the fuller the surer they are, and
 * below them what the network recognised, the probability of every token of the text at each frame, and the way of
 * the text through it.
 *
 * @param samples the recording, mono at 16 kHz
 */
export function alignmentPicture(
  samples: Float32Array,
  alignment: Alignment,
  { name, vocabulary, secondsPerFrame }: AlignmentPictureOptions,
): string {
  const { transcript, confidence, emissions } = alignment;
  const shown = Math.min(emissions.frames, Math.ceil(MOST_SECONDS / secondsPerFrame));
  const count = Math.max(1, Math.ceil((shown * secondsPerFrame) / STRIP_SECONDS));
  const frames = Math.ceil(shown / count);
  const strips = Array.from({ length: count }, (_, i) => ({
    first: i * frames,
    behind: Math.min((i + 1) * frames, shown),
  }));
  const rows = tokensOf(alignment, vocabulary, shown);
  const height = WORDS + WAVE + 8 + rows.length * ROW + AXIS;
  const draw = new StripDrawing(samples, alignment, rows, frames, secondsPerFrame);
  const total = MARGIN.top + strips.length * height + MARGIN.bottom;
  const rest = shown < emissions.frames ? `, the first ${(shown * secondsPerFrame).toFixed(0)} s drawn` : "";
  const about = `${transcript.end.toFixed(2)} s, ${transcript.words.length} words, confidence ${confidence.toFixed(2)}${rest}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${total}" width="${WIDTH}" height="${total}" role="img" aria-label="${escapeHtml(`Words of ${name} over its waveform`)}">
<style>${STYLE}</style>
<rect class="back" width="${WIDTH}" height="${total}"/>
<text class="title" x="${MARGIN.left}" y="28">${escapeHtml(name)}</text>
<text x="${MARGIN.left}" y="48">${escapeHtml(about)}</text>
${legend()}
${strips.map((strip, i) => `<g transform="translate(${MARGIN.left} ${MARGIN.top + i * height})">\n${draw.strip(strip)}\n</g>`).join("\n")}
</svg>
`;
}

function legend(): string {
  const entries = [
    ["box", "a word, fuller where it is surer"],
    ["heard", "recognised"],
    ["path", "recognised, on the text's way"],
  ] as const;
  let right = WIDTH - MARGIN.right;
  return [...entries]
    .reverse()
    .map(([look, text]) => {
      const left = right - 22 - text.length * 6;
      right = left - 12;
      const opacity = look === "box" ? ' opacity="0.3"' : "";
      return `<rect class="${look}" x="${left}" y="38" width="12" height="12"${opacity}/><text x="${left + 17}" y="48">${text}</text>`;
    })
    .join("");
}

/** A row of the drawing. */
interface Row {
  token: number;
  name: string;
}

/** Tokens on the way of the text, in the vocabulary's order, the blank last. */
function tokensOf({ path }: Alignment, vocabulary: Vocabulary, frames: number): Row[] {
  const { blankId, delimiterId, tokens } = vocabulary;
  const used = [...new Set(path.path.subarray(0, frames))].filter((token) => token !== blankId);
  used.sort((a, b) => a - b);
  const nameOf = (token: number) =>
    token === WILDCARD ? "*" : token === delimiterId ? "space" : token === blankId ? "blank" : tokens[token]!;
  return [...used, blankId].map((token) => ({ token, name: nameOf(token) }));
}

class StripDrawing {
  readonly #samples: Float32Array;
  readonly #alignment: Alignment;
  readonly #rows: readonly Row[];
  readonly #secondsPerFrame: number;
  /** Width of a frame. */
  readonly #step: number;
  readonly #loudest: number;

  constructor(
    samples: Float32Array,
    alignment: Alignment,
    rows: readonly Row[],
    frames: number,
    secondsPerFrame: number,
  ) {
    this.#samples = samples;
    this.#alignment = alignment;
    this.#rows = rows;
    this.#secondsPerFrame = secondsPerFrame;
    this.#step = PLOT / Math.max(1, frames);
    this.#loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0) || 1;
  }

  strip(strip: Strip): string {
    return [...this.#words(strip), this.#wave(strip), ...this.#heard(strip), ...this.#axis(strip)].join("\n");
  }

  #x(frame: number): string {
    return (frame * this.#step).toFixed(1);
  }

  *#words({ first, behind }: Strip): Generator<string> {
    const bottom = WORDS + WAVE + 8 + this.#rows.length * ROW;
    const places: [word: TimedWord, left: number, right: number, index: number][] = [];
    for (const [index, word] of this.#alignment.transcript.words.entries()) {
      const left = word.start / this.#secondsPerFrame - first;
      const right = word.end / this.#secondsPerFrame - first;
      if (right > 0 && left < behind - first)
        places.push([word, Math.max(0, left), Math.min(behind - first, right), index]);
    }
    for (const [{ text, start, end, confidence }, left, right] of places) {
      const title = `${text}: ${start.toFixed(2)} to ${end.toFixed(2)} s, confidence ${confidence.toFixed(2)}`;
      const fullness = /^\*+$/.test(text) ? 0 : confidence; // any speech is there for sure, and says nothing
      yield `<rect class="box" x="${this.#x(left)}" y="${WORDS}" width="${this.#x(right - left)}" height="${WAVE}" opacity="${(0.06 + 0.34 * fullness).toFixed(2)}"><title>${escapeHtml(title)}</title></rect>` +
        `<path class="edge" d="M${this.#x(left)} ${WORDS}V${bottom}M${this.#x(right)} ${WORDS}V${bottom}"/>`;
    }
    for (const [{ text }, left, , index] of places) {
      const y = index % 2 === 0 ? WORDS - 6 : WORDS - 22; // two lines in turn, so that short words' do not overlap
      const room = PLOT - left * this.#step;
      const at = room > text.length * LETTER ? `x="${this.#x(left)}"` : `x="${PLOT}" text-anchor="end"`;
      yield `<text class="word" ${at} y="${y}">${escapeHtml(text)}</text>`;
    }
  }

  #wave({ first, behind }: Strip): string {
    const samplesPerFrame = this.#secondsPerFrame * SAMPLE_RATE;
    const part = this.#samples.subarray(
      Math.round(first * samplesPerFrame),
      Math.round(behind * samplesPerFrame),
    );
    const pieces = drawableWaveform(part, PLOT);
    if (pieces.length === 0) return "";
    const width = (part.length / samplesPerFrame) * this.#step;
    const place = (piece: number, sample: number) =>
      `${(((piece + 0.5) * width) / pieces.length).toFixed(1)} ${(WORDS + (WAVE / 2) * (1 - sample / this.#loudest)).toFixed(1)}`;
    const tops = pieces.map(([, highest], piece) => place(piece, highest));
    const bottoms = pieces.map(([lowest], piece) => place(piece, lowest));
    return `<path class="sound" d="M${[...tops, ...bottoms.reverse()].join("L")}z"/>`;
  }

  /** A row a token: a box at each frame where it was recognised. */
  *#heard({ first, behind }: Strip): Generator<string> {
    const { emissions, path } = this.#alignment;
    const size = emissions.logits.length / emissions.frames;
    const top = WORDS + WAVE + 8;
    for (const [row, { name }] of this.#rows.entries()) {
      const y = top + row * ROW;
      yield `<text x="-8" y="${y + ROW - 3}" text-anchor="end">${escapeHtml(name)}</text>` +
        `<line class="grid" x1="0" x2="${PLOT}" y1="${y + ROW - 0.5}" y2="${y + ROW - 0.5}"/>`;
    }
    for (let frame = first; frame < behind; frame++) {
      const probabilities = softmax(emissions.logits.subarray(frame * size, (frame + 1) * size));
      for (const [row, { token }] of this.#rows.entries()) {
        const chosen = path.path[frame] === token;
        const probability = token === WILDCARD ? (chosen ? 1 : 0) : probabilities[token]!;
        if (probability < FAINTEST && !chosen) continue;
        const look = token === WILDCARD ? "wild" : chosen ? "path" : "heard";
        const opacity =
          token === WILDCARD ? "" : ` opacity="${Math.max(probability, chosen ? 0.15 : 0).toFixed(2)}"`;
        yield `<rect class="${look}" x="${this.#x(frame - first)}" y="${top + row * ROW + 1}" width="${this.#step.toFixed(1)}" height="${ROW - 2}"${opacity}/>`;
      }
    }
  }

  *#axis({ first, behind }: Strip): Generator<string> {
    const y = WORDS + WAVE + 8 + this.#rows.length * ROW;
    const seconds = (behind - first) * this.#secondsPerFrame;
    const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find((candidate) => seconds / candidate <= 20) ?? 1;
    const begin = first * this.#secondsPerFrame;
    for (let tick = Math.ceil(begin / step - 1e-6); tick * step <= begin + seconds; tick++) {
      const x = this.#x((tick * step - begin) / this.#secondsPerFrame);
      yield `<path class="grid" d="M${x} ${y}v5"/><text x="${x}" y="${y + 17}" text-anchor="middle">${Number((tick * step).toFixed(2))} s</text>`;
    }
  }
}

function softmax(logits: Float32Array): number[] {
  const highest = logits.reduce((most, value) => Math.max(most, value));
  const powers = Array.from(logits, (value) => Math.exp(value - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
