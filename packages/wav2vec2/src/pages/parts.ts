import { counted } from "../counted.js";
import { count } from "./format.js";
import { escapeHtml } from "./html.js";

/** More letters than this have a row of their own. */
const LONG_FACT = 60;

/** A number that stands out: what it is, its value, and what there is to say about it. */
export interface Tile {
  name: string;
  value: string;
  detail: string;
}

export function renderTiles(tiles: readonly Tile[]): string {
  const entries = tiles.map(
    ({ name, value, detail }) =>
      `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd><dd class="detail">${escapeHtml(detail)}</dd></div>`,
  );
  return `<dl class="tiles">${entries.join("")}</dl>`;
}

/** Names and what they are, below one another. */
export function renderFacts(facts: readonly (readonly [name: string, value: string])[]): string {
  const entries = facts.map(
    ([name, value]) =>
      `<div${value.length > LONG_FACT ? ' class="wide"' : ""}><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd></div>`,
  );
  return `<dl class="facts-list">${entries.join("\n")}</dl>`;
}

/** Remarks that a reader should not miss. */
export function renderNotes(lines: readonly string[]): string {
  return lines.map((line) => `<p class="note-box">${escapeHtml(line)}</p>`).join("\n");
}

/** What has become of clips that were to be played, if not all can be. */
export function clipNotes({ left, played }: { left: number; played: number }): string[] {
  if (left === 0) return [];
  return [
    `${counted(played, "clip", count(played))} can be played; ${count(left)} more did not fit or cannot be read.`,
  ];
}

/** A button that plays a clip of the page. @param clip its name there @param name what is played */
export function renderPlay(clip: string, name: string): string {
  return `<button type="button" class="play" aria-pressed="false" aria-label="Play ${escapeHtml(name)}" data-clip="${escapeHtml(clip)}"></button>`;
}

/** Texts below one another, word by word. */
export interface AlignedWords {
  /** A word that is right alone; another with what is in each row, empty where it has none. */
  words: readonly (string | readonly string[])[];
  /** What stands in front of the rows. Default: nothing */
  heads?: readonly string[];
}

/**
 * Columns run as the texts are written, from the right in Arabic or Hebrew.
 *
 * @param texts the same as whole lines, for those who do not see them
 */
export function renderAligned(
  { words, heads }: AlignedWords,
  rows: number,
  texts: readonly string[],
): string {
  const columns = words.map((word) => {
    const cells = typeof word === "string" ? new Array<string>(rows).fill(word) : word;
    const marks = cells.map(
      (text) => `<i${text === cells[0] ? "" : ' class="other"'}>${escapeHtml(text || "–")}</i>`,
    );
    return `<span${typeof word === "string" ? "" : ' class="wrong"'}>${marks.join("")}</span>`;
  });
  const names =
    heads &&
    `<span class="who" dir="auto">${heads.map((head) => `<i>${escapeHtml(head)}</i>`).join("")}</span>`;
  const whole = texts.map((text) => `<p>${escapeHtml(text)}</p>`).join("");
  return `<div class="unseen">${whole}</div><div class="words" dir="auto" aria-hidden="true">${names ?? ""}${columns.join("")}</div>`;
}
