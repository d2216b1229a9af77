import { join } from "node:path";
import { PATH, requireArguments } from "../../argument-kinds.js";
import { writeFileAtomic } from "../../files/atomic/atomic-file.js";
import type { RunDescription, RunEnd } from "../run-description.js";
import type { Sink } from "../tracker.js";

/** What `run.json` in a run directory holds. */
export interface RunFile extends RunDescription {
  /** `running` stays behind where a process was killed. */
  state: "running" | RunEnd["state"];
  reason?: string | undefined;
  /** Steps of the whole run, once they are known. */
  steps?: number;
  /** Of the process that writes it. */
  pid: number;
  /** When it ended, in milliseconds since 1970. */
  ended?: number;
}

/** Keeps `run.json` in a run directory: what the run is and whether it goes on. */
export function runFile(directory: string) {
  requireArguments("runFile", { directory: [directory, PATH] });
  let file: RunFile | undefined;
  let steps: number | undefined;
  let writing: Promise<unknown> = Promise.resolve();
  const write = (): Promise<unknown> => {
    const text = `${JSON.stringify(file, undefined, 2)}\n`;
    writing = writing.then(() => writeFileAtomic(join(directory, "run.json"), text)).catch(() => {}); // a full disk ends no run
    return writing;
  };
  return {
    planned(count) {
      steps = count;
    },
    async begin(run) {
      file = { ...run, state: "running", pid: process.pid, ...(steps !== undefined && { steps }) };
      await write();
    },
    end({ state, reason }) {
      if (!file) return;
      file = { ...file, state, ended: Date.now(), ...(reason !== undefined && { reason }) };
      void write();
    },
    async close() {
      await writing;
    },
  } satisfies Sink;
}
