import { UserError } from "../../errors.js";
import { lineName } from "../../files/line-name.js";
import type { WantedPrecision } from "../../precision/precision-names.js";
import {
  addDeviceOption,
  addPrecisionOption,
  addThreadsOption,
  type Define,
  positiveWhole,
  print,
  printJson,
} from "../command.js";
import { downloadProgress } from "../data/download-progress.js";

interface Options {
  top: number;
  revision?: string;
  device?: string;
  precision?: WantedPrecision;
  json: boolean;
}

export const defineClassify: Define = (command) => {
  command
    .argument("<model>", "directory of a model with a classification head, or Hugging Face Hub id")
    .argument("<file...>", "recordings")
    .option("--top <number>", "how many labels to print, the likeliest first", positiveWhole, 3)
    .option("--revision <name>", "branch, tag or commit of a Hub model (default: main)")
    .option("--json", "print an object a file, one a line", false);
  addThreadsOption(command);
  addPrecisionOption(addDeviceOption(command)).action(
    async (name: string, files: string[], options: Options) => {
      const { top, revision, device = "auto", precision, json } = options;
      const { classifyFile } = await import("../../classification/classify-file.js");
      const { loadClassifier } = await import("../../classification/classifier-directory.js");
      const { writeRttm } = await import("../../data/labels/rttm.js");
      const classifier = await loadClassifier(name, {
        revision,
        device,
        precision,
        onDownload: downloadProgress(),
      });
      let failed = 0;
      for (const file of files) {
        try {
          const found = await classifyFile(classifier, file);
          if (json) printJson({ file, ...found, labels: found.labels?.slice(0, top) });
          else if (found.segments) process.stdout.write(writeRttm(found.recording, found.segments));
          else
            print(
              [
                lineName(file),
                ...found.labels!.slice(0, top).map(({ label, score }) => `${label} ${score.toFixed(3)}`),
              ].join("\t"),
            );
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          process.stderr.write(`${error.message}\n`);
          failed++;
        }
      }
      if (failed > 0)
        throw new UserError(`${failed} of ${files.length} files could not be classified, as is said above.`);
    },
  );
};
