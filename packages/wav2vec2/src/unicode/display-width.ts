import { graphemes } from "./unicode-forms.js";

/** East Asian wide and full-width characters (https://www.unicode.org/reports/tr11/) and emoji. */
const WIDE =
  /^(?:[\u1100-\u115F\u2E80-\u303E\u3041-\u33FF\u3400-\u4DBF\u4E00-\u9FFF\uA000-\uA4CF\uA960-\uA97C\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6]|[\u{16FE0}-\u{18CFF}\u{1B000}-\u{1B2FF}\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation}|\p{Emoji}\uFE0F)/u;
/** Marks and format characters alone have no place of their own. */
const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cc}\p{Cf}]*$/u;

/** Whether characters take the place of two, as those of Chinese, Japanese and Korean do. */
export function isWide(grapheme: string): boolean {
  return WIDE.test(grapheme);
}

/** Columns that a text takes in a fixed-width font: marks none, letters one, wide characters two. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const grapheme of graphemes(text)) width += NO_WIDTH.test(grapheme) ? 0 : isWide(grapheme) ? 2 : 1;
  return width;
}

/** A text with spaces behind it (or, with `"start"`, before it) up to a width. */
export function padToWidth(text: string, width: number, where: "start" | "end" = "end"): string {
  const spaces = " ".repeat(Math.max(0, width - displayWidth(text)));
  return where === "end" ? text + spaces : spaces + text;
}

/** The beginning of a text that is no wider; no character loses its marks. */
export function cutToWidth(text: string, width: number): string {
  let [kept, used] = ["", 0];
  for (const grapheme of graphemes(text)) {
    used += displayWidth(grapheme);
    if (used > width) break;
    kept += grapheme;
  }
  return kept;
}

/** The end of a text that is no wider, behind an ellipsis where something is missing. */
export function tailToWidth(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let [kept, used] = ["", 1];
  for (const grapheme of graphemes(text).reverse()) {
    used += displayWidth(grapheme);
    if (used > width) break;
    kept = grapheme + kept;
  }
  return `…${kept}`;
}
