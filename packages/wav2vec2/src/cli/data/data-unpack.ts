import { counted } from "../../counted.js";
import { exitCodes } from "../../exit-codes.js";
import { type Define, outputDirectory, print, printJson, showProgress } from "../command.js";
import { interruptible } from "../interruption.js";

interface Options {
  to: string;
  json: boolean;
}

export const defineDataUnpack: Define = (command, { exit }) => {
  command
    .argument(
      "<tables>",
      "a Parquet file, or a directory that has some in it or below, as Hugging Face's datasets come",
    )
    .requiredOption(
      "--to <dir>",
      "directory that gets a directory of clips and their metadata.jsonl for each split",
      outputDirectory,
    )
    .option("--json", "print the result as JSON: [{name, path, clips}]", false)
    .action(async (tables: string, { to, json }: Options) => {
      const { unpackTables } = await import("../../data/unpack/unpack-tables.js");
      const result = await interruptible(
        "Interrupted. What was not finished has no metadata.jsonl; the same command begins it anew.",
        (signal) =>
          unpackTables(tables, { to, signal, onProgress: (clips) => showProgress(counted(clips, "clip")) }),
      ).finally(() => showProgress(""));
      if (result === undefined) exit(exitCodes.interrupted);
      else if (json) printJson(result);
      else for (const { path, clips } of result) print(`${path}  ${counted(clips, "clip")}`);
    });
};
