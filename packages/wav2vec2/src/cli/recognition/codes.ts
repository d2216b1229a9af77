import { Option } from "commander";
import { AUDIO_FORMATS } from "../../audio/decoded-audio.js";
import { UserError } from "../../errors.js";
import { exitCodes } from "../../exit-codes.js";
import { lineName } from "../../files/line-name.js";
import type { ClipCodes } from "../../training/pretraining/codes.js";
import { endWithReader } from "../closed-pipe.js";
import { addDeviceOption, type Define, print } from "../command.js";
import { downloadProgress } from "../data/download-progress.js";

interface Options {
  revision?: string;
  device?: string;
  collapse: boolean;
  times: boolean;
  json: boolean;
}

type Result = { file: string } & (ClipCodes | { error: string });

export const defineCodes: Define = (command, { exit }) => {
  addDeviceOption(command)
    .argument("<model>", "directory or Hugging Face Hub id of a pre-trained model with a quantizer")
    .argument("<file...>", `${AUDIO_FORMATS} files, at any sample rate`)
    .option("--revision <name>", "branch, tag or commit of a Hub model (default: main)")
    .option("--collapse", "print each run of equal frames once", false)
    .addOption(
      new Option("--times", "print each run of equal frames as a line of its own: file, start, end, codes")
        .conflicts("collapse")
        .default(false),
    )
    .addOption(
      new Option(
        "--json",
        "print JSON: {files: [{file, seconds, frameSeconds, codes}]}, codes as [frames][codebooks], or {file, error} for a file that failed",
      )
        .conflicts(["collapse", "times"])
        .default(false),
    )
    .addHelpText(
      "after",
      `
A file is a line: its path, a tab, and for each frame (20 ms in published models) the entries of all codebooks
joined by hyphens, such as 12-301 12-301 7-44. Start and end are in seconds, and tabs part the columns.`,
    )
    .action(async (model: string, files: string[], { revision, device, ...form }: Options) => {
      const { readAudio } = await import("../../audio/audio-file.js");
      const { loadCoder } = await import("../../training/pretraining/codes.js");
      const coder = await loadCoder(model, { revision, device, onDownload: downloadProgress() });
      const results: Result[] = [];
      if (!form.json) endWithReader();
      const onNote = (text: string) => void process.stderr.write(`${text}\n`);
      for (const file of files) {
        try {
          const codes = await coder.codesOf(await readAudio(file, { onNote }), file);
          results.push({ file, ...codes });
          if (!form.json) print(textOf(file, codes, form));
        } catch (error) {
          // One bad file must not cost the others.
          if (!(error instanceof UserError)) throw error;
          results.push({ file, error: error.message });
          process.stderr.write(`${error.message}\n`);
        }
      }
      // A number a line, as elsewhere, would be thousands of lines.
      if (form.json) print(`{"files":[\n${results.map((result) => JSON.stringify(result)).join(",\n")}\n]}`);
      if (results.some((result) => "error" in result)) exit(exitCodes.failed);
    });
};

function textOf(file: string, clip: ClipCodes, { collapse, times }: Options): string {
  if (times) {
    return runsOf(clip)
      .map(({ start, end, name }) => `${lineName(file)}\t${start.toFixed(3)}\t${end.toFixed(3)}\t${name}`)
      .join("\n");
  }
  const names = collapse ? runsOf(clip).map(({ name }) => name) : clip.codes.map(nameOf);
  return `${lineName(file)}\t${names.join(" ")}`;
}

function nameOf(entries: readonly number[]): string {
  return entries.join("-");
}

/** Frames in a row with equal codes; times in seconds, none behind the clip's end. */
function runsOf({ codes, seconds, frameSeconds }: ClipCodes): { start: number; end: number; name: string }[] {
  const names = codes.map(nameOf);
  const firsts = names.flatMap((name, frame) => (name === names[frame - 1] ? [] : [frame]));
  return firsts.map((first, run) => ({
    start: first * frameSeconds,
    end: Math.min((firsts[run + 1] ?? codes.length) * frameSeconds, seconds),
    name: names[first]!,
  }));
}
