import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { nearest } from "@wav2vec2/libtorch/nearest";
import { UserError } from "../../errors.js";

/** Each of them makes a directory a run's. */
const FILES = ["run.json", "metrics.jsonl", "recipe.yaml"] as const;
/** Names of a message, at most. */
const MOST_NAMED = 5;

/**
 * @param path what was asked for as a run directory
 * @throws UserError naming what is missing, and a run that was likely meant
 */
export function requireRun(path: string): void {
  if (isRun(path)) return;
  const missing = `none of ${FILES.join(", ")} is in it`;
  const reason = !existsSync(path) ? "it does not exist" : isDirectory(path) ? missing : "it is a file";
  throw new UserError(`${path} must be a run directory, but ${reason}. ${suggestion(path)}`);
}

/** The runs that lie in a directory. */
export function runsIn(directory: string): string[] {
  if (!isDirectory(directory)) return [];
  return readdirSync(directory)
    .map((name) => join(directory, name))
    .filter(isRun)
    .sort();
}

function isRun(path: string): boolean {
  return isDirectory(path) && FILES.some((name) => existsSync(join(path, name)));
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function suggestion(path: string): string {
  const inside = runsIn(path);
  if (inside.length > 0) return `Give a run that lies in it: ${listed(inside)}.`;
  const around = [dirname(path), dirname(dirname(path))].find(isRun);
  if (around !== undefined) return `Give the run that it lies in: ${around}.`;
  const siblings = runsIn(dirname(path));
  const alike = nearest(
    basename(path),
    siblings.map((run) => basename(run)),
  );
  if (alike !== undefined) return `Did you mean ${join(dirname(path), alike)}?`;
  if (siblings.length > 0) return `Give a run that lies beside it: ${listed(siblings)}.`;
  return "Give the directory that training wrote to ('output' of the recipe).";
}

function listed(paths: readonly string[]): string {
  const rest = paths.length - MOST_NAMED;
  return paths.slice(0, MOST_NAMED).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
