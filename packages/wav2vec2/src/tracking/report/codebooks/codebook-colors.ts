import type { Color } from "../../../pages/charts/png.js";

/**
 * Shares of an entry against an even use of all, and their colours, which stand out from a light and a dark page
 * alike. An entry that was not chosen at all has the page's own colour.
 */
export const SCALE: readonly { timesEven: number; color: Color }[] = [
  { timesEven: 0.03, color: [59, 130, 246, 50] },
  { timesEven: 1, color: [59, 130, 246, 255] },
  { timesEven: 8, color: [192, 70, 211, 255] },
  { timesEven: 64, color: [249, 115, 22, 255] },
];
const LEVELS = 63;
/** By level; the first is for entries that were not chosen. */
export const COLORS: readonly Color[] = [
  [0, 0, 0, 0],
  ...Array.from({ length: LEVELS }, (_, level) => colorAt(level / (LEVELS - 1))),
];

/** 0 for an entry that was not chosen, else 1 to LEVELS on a logarithmic scale. */
export function levelOf(timesEven: number): number {
  if (timesEven === 0) return 0;
  return 1 + Math.round(Math.min(1, Math.max(0, placeOf(timesEven))) * (LEVELS - 1));
}

/** On the scale from its lowest share at 0 to its highest at 1. */
function placeOf(timesEven: number): number {
  const [low, high] = [SCALE[0]!.timesEven, SCALE.at(-1)!.timesEven];
  return Math.log(timesEven / low) / Math.log(high / low);
}

function colorAt(place: number): Color {
  const above = Math.max(
    1,
    SCALE.findIndex(({ timesEven }) => placeOf(timesEven) >= place - 1e-9),
  );
  const [from, to] = [SCALE[above - 1]!, SCALE[above]!];
  const share = (place - placeOf(from.timesEven)) / (placeOf(to.timesEven) - placeOf(from.timesEven));
  const [red, green, blue, opacity] = from.color.map((value, channel) =>
    Math.round(value + (to.color[channel]! - value) * share),
  );
  return [red!, green!, blue!, opacity!];
}

/** The place of a share on the scale. */
export function percentOf(timesEven: number): string {
  return `${Math.round(placeOf(timesEven) * 100)}%`;
}
