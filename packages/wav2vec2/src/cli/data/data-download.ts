import { Argument, InvalidArgumentError } from "commander";
import { corpusParts, findParts, openSlr } from "../../data/download/parts.js";
import { exitCodes } from "../../exit-codes.js";
import { type Define, outputDirectory, print, printJson, showProgress } from "../command.js";
import { interruptible } from "../interruption.js";
import { downloadProgress } from "./download-progress.js";

interface Options {
  to: string;
  mirror: string;
  keepArchives: boolean;
  json: boolean;
}

export const defineDataDownload: Define = (command, { exit }) => {
  command
    .addArgument(new Argument("<name...>", "parts to download, listed below"))
    .requiredOption("--to <dir>", "directory that gets LibriSpeech/<name>", outputDirectory)
    .option("--mirror <url>", "another server of OpenSLR's files, up to /resources", address, openSlr)
    .option("--keep-archives", "leave <name>.tar.gz in the directory", false)
    .option("--json", "print the result as JSON: [{name, path, bytes, seconds}]", false)
    .addHelpText("after", `\nParts:\n${partsTable()}`)
    .action(async (names: string[], { to, mirror, keepArchives, json }: Options) => {
      const parts = findParts(names);
      const { downloadParts } = await import("../../data/download/download.js");
      const show = downloadProgress();
      const id = parts.map(({ name }) => name).join(", ");
      const result = await interruptible(
        "Interrupted. What has come stays; the same command goes on from there.",
        (signal) =>
          downloadParts(parts, {
            to,
            mirror,
            keepArchives,
            signal,
            onProgress: (progress) => show({ id, ...progress }),
            onNote: (text) => {
              showProgress("");
              process.stderr.write(`${text}\n`);
            },
          }),
      ).finally(() => showProgress(""));
      if (result === undefined) exit(exitCodes.interrupted);
      else if (json) printJson(result);
      else for (const { path } of result) print(path);
    });
};

function address(text: string): string {
  if (URL.canParse(text) && /^https?:/i.test(text)) return text.replace(/\/+$/, "");
  throw new InvalidArgumentError(`It must be an address such as ${openSlr}.`);
}

function partsTable(): string {
  const rows = corpusParts.map(({ name, hours, utterances, bytes }) =>
    [
      name.padEnd(15),
      `${hours.toFixed(1).padStart(6)} h`,
      `${utterances.toLocaleString("en").padStart(8)} utterances`,
      `${(bytes / 1e9).toFixed(1).padStart(5)} GB`,
    ].join("  "),
  );
  return rows.map((row) => `  ${row}`).join("\n");
}
