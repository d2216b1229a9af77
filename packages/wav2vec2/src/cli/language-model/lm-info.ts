import { counted } from "../../counted.js";
import { type Define, print, printJson, showProgress } from "../command.js";
import { showReading } from "./lm-compile.js";

const FORMATS = { arpa: "ARPA", gzip: "ARPA, gzipped", compiled: "compiled" } as const;

export const defineLmInfo: Define = (command) => {
  command
    .argument("<file>", "language model: ARPA's format, plain or gzipped, or compiled")
    .option("--json", "print it as JSON", false)
    .action(async (file: string, { json }: { json: boolean }) => {
      const { stat } = await import("node:fs/promises");
      const { languageModelFormat, loadLanguageModel } = await import(
        "../../text/language-model/load-language-model.js"
      );
      const format = await languageModelFormat(file);
      if (format === "compiled") {
        const { verifyCompiled } = await import("../../text/language-model/automaton/compiled-file.js");
        await verifyCompiled(file);
      }
      const model = await loadLanguageModel(file, { onProgress: showReading });
      showProgress("");
      let vocabulary = 0;
      for (const _ of model.words()) vocabulary++;
      const { size: bytes } = await stat(file);
      const { order, automaton } = model;
      const unknown = model.score(model.empty, model.unknownWord) / Math.LN10;
      if (json) {
        printJson({
          format,
          bytes,
          order,
          counts: automaton.counts,
          vocabulary,
          unknownLogProbability: unknown,
        });
        return;
      }
      const facts: [string, string][] = [
        ["format", FORMATS[format]],
        ["size", `${(bytes / 1e6).toFixed(1)} MB`],
        ["order", String(order)],
        ...automaton.counts.map((count, n): [string, string] => [
          `${n + 1}-grams`,
          count.toLocaleString("en"),
        ]),
        ["vocabulary", counted(vocabulary, "word", vocabulary.toLocaleString("en"))],
        ["unknown words", `log10 P = ${unknown.toFixed(4)} each`],
      ];
      const width = Math.max(...facts.map(([name]) => name.length));
      print(facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n"));
    });
};
