import { renderPlay } from "../../pages/parts.js";
import type { Rows } from "./metric-series.js";

/** Audio that a page plays. */
export interface RunClips {
  /** Data URLs by the paths that the lines of a run have. */
  urls: ReadonlyMap<string, string>;
  played: number;
  /** Clips that are there to listen to, and have no space or cannot be read. */
  left: number;
}

export const NO_CLIPS: RunClips = { urls: new Map(), played: 0, left: 0 };

/** A button that plays a line's clip; nothing where the page does not have it. */
export function playOf({ audio, id }: Rows[number], urls: RunClips["urls"]): string {
  return typeof audio === "string" && urls.has(audio) ? renderPlay(audio, String(id)) : "";
}
