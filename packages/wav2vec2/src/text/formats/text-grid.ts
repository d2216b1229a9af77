import { rounded, roundTime } from "./rounding.js";
import { type TimedText, type Transcript, type TranscriptWriter, wordsOf } from "./transcript.js";

/**
 * Praat's TextGrid with a tier of words and one of characters; what is between them are empty intervals. The number of
 * intervals stands before them, so all is written at the end. https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html
 */
export class TextGridWriter implements TranscriptWriter {
  readonly #words: TimedText[] = [];
  readonly #characters: TimedText[] = [];
  #end = 0;

  begin(): string {
    return "";
  }

  add(transcript: Transcript): string {
    for (const word of wordsOf(transcript, "TextGrid")) {
      this.#words.push(rounded(word));
      for (const character of word.characters) this.#characters.push(rounded(character));
    }
    this.#end = roundTime(transcript.end);
    return "";
  }

  end(): string {
    const tiers = [
      tier(1, "words", this.#words, this.#end),
      tier(2, "characters", this.#characters, this.#end),
    ];
    return `File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = ${this.#end}
tiers? <exists>
size = ${tiers.length}
item []:
${tiers.join("")}`;
  }
}

function tier(index: number, name: string, texts: readonly TimedText[], end: number): string {
  const intervals = withGaps(texts, end);
  const body = intervals.map(
    ({ text, start, end: stop }, i) => `        intervals [${i + 1}]:
            xmin = ${start}
            xmax = ${stop}
            text = "${text.replaceAll('"', '""')}"
`,
  );
  return `    item [${index}]:
        class = "IntervalTier"
        name = "${name}"
        xmin = 0
        xmax = ${end}
        intervals: size = ${intervals.length}
${body.join("")}`;
}

/** Intervals that fill the time from 0 to `end`; Praat knows none without length. */
function withGaps(texts: readonly TimedText[], end: number): Pick<TimedText, "text" | "start" | "end">[] {
  const intervals: Pick<TimedText, "text" | "start" | "end">[] = [];
  let from = 0;
  for (const { text, start, end: stop } of texts) {
    if (stop <= Math.max(start, from)) continue;
    if (start > from) intervals.push({ text: "", start: from, end: start });
    intervals.push({ text, start: Math.max(start, from), end: stop });
    from = stop;
  }
  if (from < end) intervals.push({ text: "", start: from, end });
  return intervals;
}
