import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { PATH, requireArguments } from "../../argument-kinds.js";
import type { Sink } from "../tracker.js";
import { PatientFile } from "./patient-file.js";
import { every } from "./progress-text.js";

/** Writes what a run says, with times, to `log.txt` in `directory`. It only ever grows, over all resumptions. */
export function logFile(directory: string) {
  requireArguments("logFile", { directory: [directory, PATH] });
  const file = new PatientFile(join(directory, "log.txt"));
  let opened = false;
  const write = (text: string): void => {
    if (!opened) mkdirSync(directory, { recursive: true });
    opened = true;
    const time = new Date().toISOString();
    file.append(`${text.replaceAll(/^/gm, `${time}  `)}\n`);
  };
  return {
    log(metrics, step) {
      write(`step ${step}: ${every(metrics).join(", ")}`);
    },
    note: write,
    transcripts(samples, step) {
      for (const { id, reference, hypothesis } of samples) {
        write(`step ${step}: ${id}\n  reference   ${reference}\n  hypothesis  ${hypothesis}`);
      }
    },
    codebooks(counts, step) {
      const used = counts.map(
        (entries, group) =>
          `${entries.filter((count) => count > 0).length} of ${entries.length} entries of codebook ${group}`,
      );
      write(`step ${step}: validation chose ${used.join(", ")}`);
    },
    async close() {
      file.close();
    },
  } satisfies Sink;
}
