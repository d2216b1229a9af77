import { exitCodes } from "../../exit-codes.js";
import type { Perplexity } from "../../text/language-model/perplexity.js";
import { type Define, print, printJson, showProgress } from "../command.js";
import { interruptible } from "../interruption.js";
import { showReading } from "./lm-compile.js";

interface Options {
  data?: string;
  split?: string;
  json: boolean;
}

export const defineLmPerplexity: Define = (command, context) => {
  command
    .argument("<file>", "language model: ARPA's format, plain or gzipped, or compiled")
    .argument("[text...]", "texts in UTF-8, plain or gzipped, a sentence a line")
    .option("--data <path>", "take the transcripts of a corpus (docs/data.md)")
    .option("--split <name>", "its split (default: all of a manifest or folder)")
    .option("--json", "print the numbers as JSON", false)
    .action(async (file: string, texts: string[], { data, split, json }: Options) => {
      const { loadLanguageModel } = await import("../../text/language-model/load-language-model.js");
      const { measurePerplexity } = await import("../../text/language-model/perplexity.js");
      const { readSentences } = await import("../../text/language-model/estimation/sentences.js");
      const measured = await interruptible("Interrupted.", async (signal) => {
        const model = await loadLanguageModel(file, { onProgress: showReading, signal });
        showProgress("");
        return measurePerplexity(model, readSentences({ texts, data, split, signal }));
      });
      if (!measured) return context.exit(exitCodes.interrupted);
      if (json) printJson(measured);
      else print(describe(measured));
    });
};

function describe(measured: Perplexity): string {
  const { sentences, tokens, unknown, perplexity, perplexityWithoutUnknown } = measured;
  const words = tokens - sentences;
  const share = words === 0 ? 0 : (100 * unknown) / words;
  return [
    `${sentences.toLocaleString("en")} sentences, ${words.toLocaleString("en")} words`,
    `unknown words               ${unknown.toLocaleString("en")} (${share.toFixed(2)} %)`,
    `perplexity                  ${perplexity.toFixed(2)}`,
    `perplexity without unknown  ${perplexityWithoutUnknown.toFixed(2)}`,
  ].join("\n");
}
