import type { Define } from "../command.js";
import { defineDataCheck } from "./data-check.js";
import { defineDataDownload } from "./data-download.js";
import { defineDataStats } from "./data-stats.js";
import { defineDataUnpack } from "./data-unpack.js";

// A sub-command's module loads what it needs only when it runs.
const commands: { name: string; summary: string; define: Define }[] = [
  { name: "download", summary: "LibriSpeech from OpenSLR, checked and unpacked", define: defineDataDownload },
  {
    name: "unpack",
    summary: "Parquet files of Hugging Face's datasets into clips that are read",
    define: defineDataUnpack,
  },
  {
    name: "check",
    summary: "What is wrong with a corpus, and lists for training of what is not",
    define: defineDataCheck,
  },
  {
    name: "stats",
    summary: "Hours, speakers, durations and characters of a corpus, also drawn",
    define: defineDataStats,
  },
];

export const defineData: Define = (command, context) => {
  for (const { name, summary, define } of commands) {
    define(command.command(name).description(`${summary}.`).summary(summary), context);
  }
};
