/**
 * The colours of everything that is drawn, by the names that stylesheets have for them. Those of texts have a contrast of at
 * least 4.5 with both backgrounds, as WCAG 2.2 asks of text; those of curves with the cards that they are drawn on.
 */
export const COLORS = {
  light: {
    back: "#f7f8fa",
    card: "#fff",
    text: "#1c2430",
    soft: "#5b6675",
    line: "#dfe4ea",
    one: "#1d5fd1",
    two: "#c2500a",
    three: "#1a7f37",
    four: "#8a3ab9",
    five: "#00728a",
    six: "#b0286f",
    seven: "#7a5c00",
    eight: "#56616f",
    bad: "#b3261e",
    good: "#1a7f37",
  },
  dark: {
    back: "#12161c",
    card: "#1b212a",
    text: "#e6eaf0",
    soft: "#9aa6b5",
    line: "#313a46",
    one: "#7fb0ff",
    two: "#ffab70",
    three: "#63d586",
    four: "#d6a6f5",
    five: "#5fd0e3",
    six: "#ff93c5",
    seven: "#dcc75f",
    eight: "#b4bfcc",
    bad: "#ff9b93",
    good: "#63d586",
  },
} as const;

export type Scheme = keyof typeof COLORS;
export type ColorName = keyof (typeof COLORS)["light"];

/** Curves of one chart that can be told apart by their colours. */
export const TONES = ["one", "two", "three", "four", "five", "six", "seven", "eight"] as const;

/** The colour of a curve: 1 is the first of {@link TONES}. */
export type Tone = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** The colour of a curve by its place among others; behind the last begins the first again. */
export function toneAt(index: number): Tone {
  return ((index % TONES.length) + 1) as Tone;
}

/** The colours as custom properties, such as `--back: #fff;`. */
export function colorProperties(scheme: Scheme): string {
  return Object.entries(COLORS[scheme])
    .map(([name, color]) => `--${name}: ${color};`)
    .join(" ");
}
