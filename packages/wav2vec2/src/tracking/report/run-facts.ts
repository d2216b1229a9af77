import { hostname } from "node:os";
import { shellWord } from "../../files/shell-name.js";
import { count } from "../../pages/format.js";
import { renderFacts } from "../../pages/parts.js";
import type { RunFile } from "../sinks/run-file.js";
import type { RunData } from "./read-run.js";

/** How a run stands, in a word or two. */
export function stateOf({ run }: RunData): string | undefined {
  if (run.state !== "running") return run.state;
  return isGone(run) ? "ended without a word" : "running";
}

/** What a run was and where: of `run.json`, so nothing of runs of earlier versions. */
export function runFactsSection(data: RunData): string {
  const facts = factsOf(data);
  return facts.length > 0 ? `<section><h2>Run</h2>\n${renderFacts(facts)}</section>` : "";
}

/** Names and values of what is known of a run. */
export function factsOf(data: RunData): [string, string][] {
  const { run } = data;
  const { processes, host, device, parameters, versions } = run;
  const state = stateOf(data);
  const facts: [string, string | undefined][] = [
    ["State", state && `${state}${run.reason === undefined ? "" : `: ${run.reason}`}`],
    ["Steps", stepsOf(data)],
    ["Began", momentOf(run.began)],
    ["Ended", momentOf(run.ended)],
    ["Host", host],
    ["Device", device],
    ["Processes", processes === undefined ? undefined : count(processes)],
    [
      "Parameters",
      parameters && `${count(parameters.all)}, of which ${count(parameters.trained)} are trained`,
    ],
    [
      "Versions",
      versions && `wav2vec2 ${versions.wav2vec2}, libtorch ${versions.libtorch}, Node ${versions.node}`,
    ],
    ["Id", run.id],
    ["Directory", run.directory],
    ["Command", Array.isArray(run.command) ? run.command.map(shellWord).join(" ") : undefined],
  ];
  const known = facts.filter(
    (fact): fact is [string, string] => typeof fact[1] === "string" && fact[1] !== "",
  );
  return Object.keys(run).length > 0 ? known : [];
}

function stepsOf({ metrics, run }: RunData): string {
  const done = count(metrics.at(-1)?.step ?? 0);
  return typeof run.steps === "number" ? `${done} of ${count(run.steps)}` : done;
}

/** @param time in milliseconds since 1970 */
export function momentOf(time: unknown): string | undefined {
  if (typeof time !== "number" || !Number.isFinite(time)) return undefined;
  return `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** Whether the process that says it is running was on this host and is no more. */
function isGone({ host, pid }: Partial<RunFile>): boolean {
  if (host !== hostname() || typeof pid !== "number") return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
