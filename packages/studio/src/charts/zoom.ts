/** The part of the x axis that is looked at; undefined is all of it. */
export type Zoom = { from: number; to: number } | undefined;

/**
 * What to load for a part: somewhat more than it on both sides, and in steps, so that moving about does not load at every
 * pixel. `share` is how many times wider it is.
 */
export function loadedPart(zoom: Zoom): { from?: number; to?: number; share: number } {
  if (zoom === undefined) return { share: 1 };
  const span = zoom.to - zoom.from;
  const unit = 2 ** Math.ceil(Math.log2(span)) / 2;
  const from = (Math.floor(zoom.from / unit) - 1) * unit;
  const to = (Math.ceil(zoom.to / unit) + 1) * unit;
  return { from, to, share: (to - from) / span };
}

/** A part that is `factor` times as wide around a place, within the whole; all of it where that would be wider. */
export function zoomAround(
  part: { from: number; to: number },
  at: number,
  factor: number,
  whole: { from: number; to: number },
): Zoom {
  const from = at - (at - part.from) * factor;
  const to = at + (part.to - at) * factor;
  return within({ from, to }, whole);
}

/** Keeps a part within the whole, as wide as it is. */
export function within(part: { from: number; to: number }, whole: { from: number; to: number }): Zoom {
  const span = part.to - part.from;
  if (!(span > 0) || span >= whole.to - whole.from) return undefined;
  const from = Math.min(Math.max(part.from, whole.from), whole.to - span);
  return { from, to: from + span };
}
