import { randomUUID } from "node:crypto";
import { cpus, platform, release, totalmem } from "node:os";
import type { RunDescription } from "../../run-description.js";
import { plainJson } from "./extended-json.js";
import { timestampOf, type WandbRecord } from "./record.js";
import type { WandbSettings } from "./settings.js";

/** The metric that curves are drawn over, by the name that Hugging Face's trainer gives it. */
export const STEP_METRIC = "train/global_step";

type Config = Readonly<Record<string, unknown>>;

/** What W&B's pages list and compare of a run: the recipe under its own keys, the network and what it runs on. */
export function configOf({
  recipe,
  config: network,
  parameters,
  device,
  processes,
  command,
  versions,
}: RunDescription): Config {
  return { ...recipe, network, parameters, device, processes, command: command.join(" "), versions };
}

/** The machine, as the first page of a run shows it. */
export function environmentOf(run: RunDescription): NonNullable<WandbRecord["environment"]> {
  const [program = "", ...args] = run.command;
  return {
    os: `${platform()} ${release()}`,
    startedAt: timestampOf(run.began),
    args,
    program,
    root: run.directory,
    host: run.host,
    executable: process.execPath,
    cpuCountLogical: cpus().length,
    memory: { total: BigInt(totalmem()) },
    writerId: randomUUID(),
  };
}

interface OldConfig {
  _wandb?: { value?: { e?: object; m?: readonly Readonly<Record<string, unknown>>[] } };
}

/**
 * A run's config as W&B's server keeps it. In `_wandb` is `t`, without which no run can be resumed, `m`, which says that all
 * is drawn over {@link STEP_METRIC}, and `e`, the machines.
 *
 * @param metrics names of those that were logged
 * @param before the config that the server has, as JSON
 */
export function serverConfig(
  config: Config,
  environment: NonNullable<WandbRecord["environment"]>,
  metrics: Iterable<string>,
  before: string | null,
): string {
  const old = JSON.parse(before ?? "{}") as OldConfig;
  const earlier = (old._wandb?.value?.m ?? [])
    .map((metric) => metric["1"])
    .filter((name) => name !== undefined);
  const names = new Set<unknown>([...earlier, ...metrics]);
  names.delete(STEP_METRIC);
  const wandb = {
    ...old._wandb?.value,
    t: { "13": `${process.platform}-${process.arch}` },
    m: [
      { "1": STEP_METRIC, "6": [3], "7": [] },
      { "2": "*", "5": 1, "6": [1], "7": [] },
      // Newer servers know by the line above; older ones want each name.
      ...[...names].map((name) => ({ "1": name, "5": 1, "6": [1, 3], "7": [] })),
    ],
    e: { ...old._wandb?.value?.e, [environment.writerId!]: metadataOf(environment) },
  };
  return plainJson({ ...old, ...valuesOf(config), _wandb: { value: wandb } });
}

/** As W&B's servers and files have a config. */
export function valuesOf(config: Config): Record<string, { value: unknown }> {
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, { value }]));
}

/** `wandb-metadata.json` */
export function metadataOf(environment: NonNullable<WandbRecord["environment"]>): object {
  const { os, startedAt, args, program, root, host, executable, cpuCountLogical, memory, writerId } =
    environment;
  return {
    os,
    startedAt: new Date(startedAt!.seconds! * 1000).toISOString(),
    args,
    program,
    root,
    host,
    executable,
    cpu_count_logical: cpuCountLogical,
    memory: { total: String(memory?.total) },
    writerId,
  };
}

/** What a log begins with. @param resume whether the server may have the run already */
export function openingRecords(
  settings: WandbSettings,
  run: RunDescription,
  {
    config,
    environment,
    resume,
    time,
  }: {
    config: Config;
    environment: NonNullable<WandbRecord["environment"]>;
    resume: boolean;
    time: number;
  },
): WandbRecord[] {
  const { runId, entity = "", project, group = "", jobType, name, notes = "", tags } = settings;
  // Where there is no `_wandb`, older clients put there nothing of their own.
  const update = Object.entries({ _wandb: {}, ...config }).map(([key, value]) => ({
    key,
    valueJson: plainJson(value ?? null),
  }));
  return [
    { header: { versionInfo: { producer: `wav2vec2 ${run.versions.wav2vec2}` } } },
    {
      run: {
        runId,
        entity,
        project,
        config: { update },
        runGroup: group,
        jobType,
        displayName: name,
        notes,
        tags,
        host: run.host,
        startTime: timestampOf(time),
        resume,
      },
    },
    { environment },
    { metric: { name: STEP_METRIC, options: { defined: true } } },
    { metric: { globName: "*", stepMetric: STEP_METRIC, options: { stepSync: true, defined: true } } },
  ];
}
