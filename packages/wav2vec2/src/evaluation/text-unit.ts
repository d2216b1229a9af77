/** What the error rate of a text counts: what stands between its spaces. */
export type TextUnit = "word" | "phoneme";

const ABBREVIATIONS = { word: "WER", phoneme: "PER" } as const;

/** How people call the error rate: WER, and PER where texts are phonemes. */
export function rateName(unit: TextUnit): string {
  return ABBREVIATIONS[unit];
}
