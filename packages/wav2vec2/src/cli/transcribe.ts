import { UserError } from "../errors.js";
import { type Define, exitCodes, positiveWhole, print, printJson } from "./command.js";
import { downloadProgress } from "./download-progress.js";

interface Options {
  revision?: string;
  language?: string;
  beamWidth?: number;
  json: boolean;
}

type Result = { file: string; text: string } | { file: string; error: string };

export const defineTranscribe: Define = (command, { exit }) => {
  command
    .argument("<model>", "model directory or Hugging Face Hub id")
    .argument("<file...>", "FLAC, WAV, MP3, Ogg Opus or Ogg Vorbis files, at any sample rate")
    .option("--revision <name>", "branch, tag or commit of a Hub model (default: main)")
    .option("--language <code>", "language of a multilingual model, such as eng")
    .option(
      "--beam-width <number>",
      "prefixes of the beam search; 1 decodes greedily (default: 16)",
      positiveWhole,
    )
    .option(
      "--json",
      "print the results as JSON: [{file, text}], or {file, error} for a file that failed",
      false,
    )
    .action(async (model: string, files: string[], { json, ...options }: Options) => {
      const { readAudio } = await import("../audio/audio-file.js");
      const { loadRecognizer } = await import("../recognition/recognizer.js");
      const recognizer = await loadRecognizer(model, { ...options, onDownload: downloadProgress() });
      const results: Result[] = [];
      for (const file of files) {
        try {
          const text = await recognizer.transcribe(await readAudio(file), file);
          results.push({ file, text });
          if (!json) print(files.length === 1 ? text : `${file}\t${text}`);
        } catch (error) {
          // One bad file must not cost the others.
          if (!(error instanceof UserError)) throw error;
          results.push({ file, error: error.message });
          process.stderr.write(`${error.message}\n`);
        }
      }
      if (json) printJson(results);
      if (results.some((result) => "error" in result)) exit(exitCodes.failed);
    });
};
