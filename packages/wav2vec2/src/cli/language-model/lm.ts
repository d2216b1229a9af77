import type { Define } from "../command.js";
import { defineLmBuild } from "./lm-build.js";
import { defineLmCompile } from "./lm-compile.js";
import { defineLmInfo } from "./lm-info.js";
import { defineLmPerplexity } from "./lm-perplexity.js";
import { defineLmTune } from "./lm-tune.js";

// A sub-command's module loads what it needs only when it runs.
const commands: { name: string; summary: string; define: Define }[] = [
  {
    name: "build",
    summary: "An n-gram model of a text, by modified Kneser-Ney smoothing",
    define: defineLmBuild,
  },
  {
    name: "compile",
    summary: "A form that is loaded at once, of a model in ARPA's format",
    define: defineLmCompile,
  },
  { name: "info", summary: "What is in a model, and whether it is whole", define: defineLmInfo },
  { name: "perplexity", summary: "How well a model predicts a text", define: defineLmPerplexity },
  {
    name: "tune",
    summary: "The weights of a model and of words that make the fewest errors on a split",
    define: defineLmTune,
  },
];

export const defineLm: Define = (command, context) => {
  for (const { name, summary, define } of commands) {
    define(command.command(name).description(`${summary}.`).summary(summary), context);
  }
};
