import { exitCodes } from "../../exit-codes.js";
import { type Define, print, showProgress } from "../command.js";
import { interruptible } from "../interruption.js";
import { requireWritable } from "../writable.js";

export const defineLmCompile: Define = (command, context) => {
  command
    .argument("<file>", "language model in ARPA's format, plain or gzipped")
    .argument("<output>", "file to write, for example model.lm")
    .action(async (file: string, output: string) => {
      await requireWritable(output, file);
      const { languageModelFormat } = await import("../../text/language-model/load-language-model.js");
      const { readArpa } = await import("../../text/language-model/arpa/arpa-reader.js");
      const { writeCompiled } = await import("../../text/language-model/automaton/compiled-file.js");
      if ((await languageModelFormat(file)) === "compiled") {
        const { UserError } = await import("../../errors.js");
        throw new UserError(`${file} must be a language model in ARPA's format, but is compiled already.`);
      }
      const automaton = await interruptible("Interrupted; nothing was written.", async (signal) => {
        const read = await readArpa(file, { onProgress: showReading, signal });
        await writeCompiled(output, read, signal);
        return read;
      });
      showProgress("");
      if (!automaton) return context.exit(exitCodes.interrupted);
      print(
        `${automaton.counts.map((count) => count.toLocaleString("en")).join(" + ")} n-grams written to ${output}`,
      );
    });
};

/** For a model that is being read. */
export function showReading(done: number, total: number): void {
  if (total > 0) showProgress(`Reading n-grams: ${Math.floor((100 * done) / total)} %`);
}
