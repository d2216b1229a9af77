import { UserError } from "../../../errors.js";
import { RefusedError, type WandbApi } from "./api.js";
import { parseExtendedJson } from "./extended-json.js";
import { FROM_THE_BEGINNING, type Offsets } from "./file-stream.js";
import { NO_PAST, type Past } from "./history.js";
import {
  askResumeStatus,
  askViewer,
  type ResumeStatus,
  rewindRun,
  type ServerRun,
  upsertRun,
} from "./operations.js";
import type { WandbSettings } from "./settings.js";

/** What a server knows of a run when a process of it begins. */
export interface Found {
  /** None where the run is new to it. */
  status: ResumeStatus | undefined;
  offsets: Offsets;
  past: Past;
}

/**
 * Whether the server takes the key, and what it has of the run.
 *
 * @throws UserError where it refuses the key, or has a run that must not be there, or none that must
 * @throws Error where it cannot be reached
 */
export async function findRun(api: WandbApi, settings: WandbSettings): Promise<Found> {
  const { start } = api.timing;
  const began = performance.now();
  const left = (): number => Math.max(1, start - (performance.now() - began));
  const viewer = await asked("the key", askViewer(api, left()));
  if (!viewer.entity && !settings.entity)
    throw new UserError(
      "Weights & Biases must be told a user or team, as the key has none of its own. Set wandb.entity or WANDB_ENTITY.",
    );
  if (settings.existing === "ours") return { status: undefined, offsets: FROM_THE_BEGINNING, past: NO_PAST };
  const { entity, project, runId: name, existing } = settings;
  const status = await asked("the run", askResumeStatus(api, { entity, project, name }, left()));
  if (existing === "must" && !status)
    throw new UserError(
      `Weights & Biases must have a run ${name} in ${project}, as WANDB_RESUME is must, but has none. Correct WANDB_RUN_ID or ` +
        "set WANDB_RESUME=allow.",
    );
  if (existing === "never" && status)
    throw new UserError(
      `Weights & Biases must have no run ${name} in ${project}, as WANDB_RESUME is never, but has one. Change WANDB_RUN_ID or ` +
        "set WANDB_RESUME=allow.",
    );
  return {
    status,
    offsets: status ? offsetsOf(status) : FROM_THE_BEGINNING,
    past: status ? pastOf(status) : NO_PAST,
  };
}

/** Makes a run, or changes it. @throws UserError where the server refuses it */
export function makeRun(
  api: WandbApi,
  settings: WandbSettings,
  values: { config: string; host: string; program: string; status: ResumeStatus | undefined },
): Promise<ServerRun> {
  const { entity, project, runId, group, jobType, name, notes, tags } = settings;
  const { config, host, program, status } = values;
  return asked(
    "the run",
    upsertRun(
      api,
      {
        id: status?.id,
        name: runId,
        entity,
        project,
        groupName: group,
        jobType,
        displayName: name,
        notes,
        tags: [...new Set([...(status?.tags ?? []), ...tags])],
        config,
        host,
        program,
      },
      api.timing.start,
    ),
  );
}

/** Removes the rows behind a step. @returns how many are left */
export async function cutHistory(api: WandbApi, settings: WandbSettings, step: number): Promise<number> {
  const { entity, project, runId: name } = settings;
  return (await rewindRun(api, { entity, project, name }, step)).historyLineCount;
}

async function asked<Answer>(what: string, answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const isKey = error.status === 401 || (error.status === 403 && what === "the key");
    throw new UserError(
      isKey
        ? `Weights & Biases must be given a valid key, but refuses this one (${error.message}). Log in with: wandb login. ` +
            "Or set WANDB_API_KEY, or WANDB_MODE=offline to keep the run on this computer."
        : `Weights & Biases refuses ${what}: ${error.message}. Check wandb.entity (WANDB_ENTITY), wandb.project ` +
            "(WANDB_PROJECT) and WANDB_RUN_ID, or set WANDB_MODE=offline.",
      { cause: error },
    );
  }
}

function offsetsOf({ historyLineCount, eventsLineCount, logLineCount }: ResumeStatus): Offsets {
  return {
    "wandb-history.jsonl": historyLineCount ?? 0,
    "wandb-events.jsonl": eventsLineCount ?? 0,
    "output.log": logLineCount ?? 0,
  };
}

function pastOf({ summaryMetrics, historyTail, eventsTail, historyLineCount }: ResumeStatus): Past {
  const summary = parseExtendedJson(summaryMetrics ?? "{}") as Record<string, unknown>;
  const row = lastLine(historyTail);
  const { runtime } = (summary._wandb ?? {}) as { runtime?: unknown };
  const runtimes = [runtime, summary._runtime, row._runtime, lastLine(eventsTail)._runtime];
  return {
    step: historyLineCount ? Math.max(numberOf(row._step), numberOf(summary._step)) : -1,
    runtime: Math.max(...runtimes.map(numberOf)),
    summary,
  };
}

/** @param tail JSON of lines of JSON */
function lastLine(tail: string | null): Record<string, unknown> {
  const lines = JSON.parse(tail ?? "[]") as string[];
  return parseExtendedJson(lines.at(-1) ?? "{}") as Record<string, unknown>;
}

function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
