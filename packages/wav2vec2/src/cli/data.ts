import type { Define } from "./command.js";
import { defineDataDownload } from "./data-download.js";

// A sub-command's module loads what it needs only when it runs.
const commands: { name: string; summary: string; define: Define }[] = [
  { name: "download", summary: "LibriSpeech from OpenSLR, checked and unpacked", define: defineDataDownload },
];

export const defineData: Define = (command, context) => {
  for (const { name, summary, define } of commands) {
    define(command.command(name).description(`${summary}.`).summary(summary), context);
  }
};
