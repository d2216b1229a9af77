import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where a process of a run writes it down, in W&B's own layout. */
export interface RunDirectory {
  path: string;
  /** Its `.wandb` file. */
  log: string;
  /** `files/`: what becomes the run's files, media among them. */
  files: string;
}

/**
 * @param directory the one that `wandb/` lies in
 * @param time which is in its name; a later one where there is such a directory
 */
export function makeRunDirectory(
  directory: string,
  { runId, mode, time }: { runId: string; mode: "online" | "offline"; time: Date },
): RunDirectory {
  const parts = [time.getFullYear(), time.getMonth() + 1, time.getDate()];
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()];
  const digits = (numbers: number[]): string =>
    numbers.map((number) => String(number).padStart(2, "0")).join("");
  const kind = mode === "online" ? "run" : "offline-run";
  const path = join(directory, "wandb", `${kind}-${digits(parts)}_${digits(clock)}-${runId}`);
  if (existsSync(path)) return makeRunDirectory(directory, { runId, mode, time: new Date(+time + 1000) });
  const made = described(path, runId);
  mkdirSync(made.files, { recursive: true });
  return made;
}

/** Directories of earlier processes of a run that were offline, oldest first, without those that were uploaded since. */
export function unsentDirectories(directory: string, runId: string): RunDirectory[] {
  const parent = join(directory, "wandb");
  if (!existsSync(parent)) return [];
  return readdirSync(parent)
    .filter((name) => /^offline-run-\d{8}_\d{6}-/.test(name) && name.endsWith(`-${runId}`))
    .sort()
    .map((name) => described(join(parent, name), runId))
    .filter(({ log }) => existsSync(log) && !existsSync(syncedMark(log)));
}

/** Says, as `wandb sync` does, that a directory was uploaded. */
export function markSynced({ log }: RunDirectory): void {
  writeFileSync(syncedMark(log), "");
}

function syncedMark(log: string): string {
  return `${log}.synced`;
}

function described(path: string, runId: string): RunDirectory {
  return { path, log: join(path, `run-${runId}.wandb`), files: join(path, "files") };
}
