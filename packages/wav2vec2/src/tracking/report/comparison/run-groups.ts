import { flattenedTexts } from "../../../differences.js";
import { TONES, type Tone, toneAt } from "../../../pages/colors.js";
import type { RunData } from "../read-run.js";

/** Runs that one curve stands for: one, or several that differ in nothing but their seed. */
export interface RunGroup {
  name: string;
  runs: readonly RunData[];
  tone: Tone;
  dashed: boolean;
}

/** Keys that say nothing of what is trained. */
const OF_NO_MATTER = /^(seed|output|run_name|tracking|log_model|system_seconds|(wandb|mlflow)(\..*)?)$/;

/** Puts runs together that differ only in seed; what each is called by is in `names`. */
export function groupRuns(runs: readonly RunData[], names: ReadonlyMap<RunData, string>): RunGroup[] {
  const groups = new Map<string, RunData[]>();
  for (const [index, run] of runs.entries()) {
    const key = keyOf(run) ?? String(index); // of one without a recipe nothing is known
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const taken = new Set<string>();
  return [...groups.values()].map((members, index) => {
    const own = members.map((run) => names.get(run)!);
    const short = groupName(own);
    const name = taken.has(short) ? own.join(", ") : short;
    taken.add(name);
    return { name, runs: members, tone: toneAt(index), dashed: index >= TONES.length };
  });
}

function keyOf({ recipe }: RunData): string | undefined {
  const entries = Object.entries(flattenedTexts(recipe)).filter(([key]) => !OF_NO_MATTER.test(key));
  return entries.length === 0 ? undefined : JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What the names begin with, and how many they are. */
function groupName(names: readonly string[]): string {
  const [first, ...others] = names;
  if (others.length === 0) return first!;
  const same = [...first!].findIndex((letter, at) => others.some((name) => name[at] !== letter));
  const common = first!.slice(0, same < 0 ? undefined : same).replace(/(seed|run)?[\s_.\-/]*$/i, "");
  return `${common || first} (${names.length} runs)`;
}

/** What each run is called by: its name, or its directory where several have one name. */
export function runNames(runs: readonly RunData[]): Map<RunData, string> {
  return new Map(
    runs.map((run) => {
      const isTaken = runs.some((other) => other !== run && other.name === run.name);
      return [run, isTaken ? run.directory : run.name];
    }),
  );
}
