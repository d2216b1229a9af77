// What a recording shows at which moment of a picture of a minute, in which long waits are short.
import { Screen } from "./screen.mjs";

/** @typedef {import("./screen.mjs").Run} Run */
/** @typedef {{ at: number, real: number, lines: Run[][] }} Frame `at` seconds in the picture, `real` in the recording */

/** No line takes longer to come than this, in seconds. */
const LONGEST_LINE = 3;
/** And none is gone sooner than one can see it. */
const SHORTEST_LINE = 0.12;

/**
 * Shortens waits: within each line that takes long, time goes faster, evenly.
 *
 * @param {readonly import("./recording.mjs").Piece[]} pieces
 * @param {number} seconds of the whole picture at most
 * @returns {number[]} when each piece is shown
 */
export function shortened(pieces, seconds) {
  /** @type {number[]} */
  const shown = [];
  let [realBefore, shownBefore, first] = [0, 0, 0];
  for (const [index, piece] of pieces.entries()) {
    if (!piece.text.includes("\n") && index !== pieces.length - 1) continue;
    const real = piece.seconds - realBefore;
    const scale = real > 0 ? Math.min(Math.max(real, SHORTEST_LINE), LONGEST_LINE) / real : 0;
    for (; first <= index; first++)
      shown.push(shownBefore + ((pieces[first]?.seconds ?? 0) - realBefore) * scale);
    [realBefore, shownBefore] = [piece.seconds, shown.at(-1) ?? 0];
  }
  const whole = Math.max(1, (shown.at(-1) ?? 0) / seconds);
  return shown.map((time) => time / whole);
}

/**
 * @param {readonly import("./recording.mjs").Piece[]} pieces
 * @param {{ columns: number, rows: number, seconds: number, gap: number }} options gap: seconds between two frames at least
 * @returns {Frame[]} the first is empty; each differs from the one before
 */
export function framesOf(pieces, { columns, rows, seconds, gap }) {
  const screen = new Screen(columns, rows);
  const times = shortened(pieces, seconds);
  /** @type {Frame[]} */
  const frames = [{ at: 0, real: 0, lines: [] }];
  let before = JSON.stringify([]);
  for (const [index, { seconds: real, text }] of pieces.entries()) {
    screen.write(text);
    const at = times[index] ?? 0;
    const next = times[index + 1];
    const last = frames.at(-1);
    // What is followed at once is not seen.
    if (next !== undefined && next - (last?.at ?? 0) < gap) continue;
    const lines = screen.lines();
    const now = JSON.stringify(lines);
    if (now === before) continue;
    before = now;
    frames.push({ at, real, lines });
  }
  return frames;
}
