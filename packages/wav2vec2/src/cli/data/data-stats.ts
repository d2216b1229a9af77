import { counted } from "../../counted.js";
import type { SplitStats } from "../../data/stats/corpus-stats.js";
import type { Histogram } from "../../data/stats/distribution.js";
import { displayWidth, padToWidth } from "../../unicode/display-width.js";
import { type Define, outputFile, print, printJson } from "../command.js";
import { requireWritable } from "../writable.js";

interface Options {
  split?: string[];
  transcripts: boolean;
  svg?: string;
  png?: string;
  json: boolean;
}

const BAR_WIDTH = 40;
/** Rows of speakers and of characters. */
const MOST_ROWS = 12;
/** Of the inventory. */
const MOST_CHARACTERS = 100;

export const defineDataStats: Define = (command) => {
  command
    .argument("<dir>", "LibriSpeech, a directory of manifests or of audio, or a manifest")
    .option("--split <name...>", "splits to describe (default: all)")
    .option("--no-transcripts", "unlabelled speech: transcripts are not needed")
    .option("--svg <file>", "draw durations, speakers and characters", outputFile)
    .option("--png <file>", "the same as PNG", outputFile)
    .option("--json", "print the numbers as JSON: an object for each split", false)
    .action(async (directory: string, { split, transcripts, svg, png, json }: Options) => {
      const { readStats } = await import("../../data/stats/read-stats.js");
      const { stats, leftOut } = await readStats(directory, {
        splits: split,
        transcripts: transcripts ? "required" : "none",
      });
      for (const file of [svg, png]) if (file !== undefined) await requireWritable(file, directory);
      if (json) printJson(stats);
      else print(stats.map(describe).join("\n\n"));
      if (leftOut > 0)
        process.stderr.write(
          leftOut === 1
            ? "1 problem was found; what it concerns is left out. 'wav2vec2 data check' lists it.\n"
            : `${leftOut} problems were found; what they concern is left out. 'wav2vec2 data check' lists them.\n`,
        );
      if (svg === undefined && png === undefined) return;
      const { drawStats } = await import("../../data/stats/draw.js");
      const { writeFileAtomic } = await import("../../files/atomic/atomic-file.js");
      const drawing = await drawStats(stats);
      if (svg !== undefined) await writeFileAtomic(svg, drawing);
      if (png !== undefined) {
        const { rasterize } = await import("../../pages/charts/raster.js");
        await writeFileAtomic(png, await rasterize(drawing));
      }
    });
};

/** The numbers of a split, its durations as bars, its speakers and characters. */
function describe(split: SplitStats): string {
  const { name, utterances, hours, duration, durations, speakers, minutesPerSpeaker, transcripts } = split;
  const facts = [
    ["utterances", count(utterances)],
    ["hours", hours.toFixed(2)],
    ["duration (s)", spread(duration, 2)],
  ];
  if (speakers.length > 0) {
    const { min, median, max } = minutesPerSpeaker;
    facts.push(["speakers", count(speakers.length)]);
    facts.push([
      "minutes a speaker",
      `min ${min.toFixed(2)}, median ${median.toFixed(2)}, max ${max.toFixed(2)}`,
    ]);
  }
  if (transcripts) {
    facts.push(["words", `${count(transcripts.words)}, ${count(transcripts.distinctWords)} different`]);
    facts.push(["characters a second", spread(transcripts.charactersPerSecond, 1)]);
    facts.push([
      "vocabulary",
      `${counted(transcripts.characters.length, "character")}: ${inventory(transcripts.characters)}`,
    ]);
  }
  const width = Math.max(...facts.map(([label]) => label!.length));
  if (utterances === 0) return `${name}\n  no utterance that can be used`;
  const lines = [name, ...facts.map(([label, value]) => `  ${label!.padEnd(width)}  ${value}`)];
  lines.push("", "  utterances by duration", ...durationBars(durations));
  if (speakers.length > 0 && speakers.length <= MOST_ROWS)
    lines.push(
      "",
      "  minutes by speaker",
      ...bars(
        speakers.map(({ speaker, hours }) => [speaker, hours * 60]),
        2,
      ),
    );
  if (transcripts) {
    const total = transcripts.characters.reduce((sum, each) => sum + each.count, 0);
    const rows = transcripts.characters
      .slice(0, MOST_ROWS)
      .map(({ character, count }): Bar => [character === " " ? "space" : character, (count / total) * 100]);
    lines.push("", "  characters in %, the most frequent", ...bars(rows, 1));
  }
  return lines.join("\n");
}

function spread(values: SplitStats["duration"], digits: number): string {
  const { min, p5, median, mean, p95, max } = values;
  const names = { min, "5 %": p5, median, mean, "95 %": p95, max };
  return Object.entries(names)
    .map(([name, value]) => `${name} ${value.toFixed(digits)}`)
    .join(", ");
}

/** The characters themselves, most frequent first. */
function inventory(characters: readonly { character: string }[]): string {
  const shown = characters
    .slice(0, MOST_CHARACTERS)
    .map(({ character }) => (character === " " ? "space" : character));
  return `${shown.join(" ")}${characters.length > shown.length ? " ..." : ""}`;
}

/** From the first to the last bin that is not empty. */
function durationBars({ width, counts }: Histogram): string[] {
  const first = counts.findIndex((value) => value > 0);
  const rows = counts.map(
    (value, bin): Bar => [`${edge(bin * width)} to ${edge((bin + 1) * width)} s`, value],
  );
  return bars(rows.slice(first), 0);
}

type Bar = [label: string, value: number];

function bars(rows: readonly Bar[], digits: number): string[] {
  const numbers = rows.map(([, value]) =>
    value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }),
  );
  const labelWidth = Math.max(...rows.map(([label]) => displayWidth(label)));
  const numberWidth = Math.max(...numbers.map((number) => number.length));
  const most = Math.max(...rows.map(([, value]) => value));
  return rows.map(([label, value], row) => {
    const bar = "█".repeat(Math.round((value / most) * BAR_WIDTH)) || (value > 0 ? "▏" : "");
    return `  ${padToWidth(label, labelWidth, "start")}  ${numbers[row]!.padStart(numberWidth)}  ${bar}`.trimEnd();
  });
}

/** Without the digits that products of tenths leave. */
function edge(seconds: number): string {
  return String(Number(seconds.toFixed(3)));
}

function count(value: number): string {
  return value.toLocaleString("en");
}
