import { cpSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { writeFileAtomic } from "../../../files/atomic/atomic-file.js";
import { shellWord } from "../../../files/shell-name.js";
import type { RunDescription } from "../../run-description.js";
import type { SinkContext } from "../../sink-context.js";
import type { SystemReading } from "../../system/system-reading.js";
import type { WandbApi } from "./api.js";
import {
  configOf,
  environmentOf,
  metadataOf,
  openingRecords,
  STEP_METRIC,
  serverConfig,
  valuesOf,
} from "./description.js";
import { extendedJson, parseExtendedJson } from "./extended-json.js";
import { FROM_THE_BEGINNING, type Offsets } from "./file-stream.js";
import { History, NO_PAST, type Past, type Row } from "./history.js";
import { cutHistory, type Found, makeRun } from "./join.js";
import { Media } from "./media.js";
import type { RunPath, ServerRun } from "./operations.js";
import { timestampOf, type WandbRecord } from "./record.js";
import { makeRunDirectory, markSynced, type RunDirectory, unsentDirectories } from "./run-directory.js";
import { Sender } from "./sender.js";
import type { WandbSettings } from "./settings.js";
import { readTransactionLog, TransactionLog } from "./transaction-log.js";

/** Of W&B's FilesItem: when to upload, and what it is. */
const NOW = 0;
const WANDB = 1;
const MEDIA = 2;
/** Of W&B's OutputRawRecord: to STDERR are errors there, and marked as such. */
const STDOUT = 1;

/** At the end, a sign of life at least this often, in milliseconds. */
const SIGN_OF_LIFE = 20_000;

export interface WandbRunOptions {
  context: SinkContext;
  settings: WandbSettings;
  run: RunDescription;
}

/**
 * A process of a run: whatever happens is written as records to its directory first, from which `wandb sync` can upload it
 * at any time, and where there is a server, it is sent from there.
 */
export class WandbRun {
  readonly history: History;
  readonly media: Media;
  readonly directory: RunDirectory;
  readonly #log: TransactionLog;
  /** Whether the server may have what comes before this directory. */
  readonly #goesOn: boolean;
  readonly #environment: NonNullable<WandbRecord["environment"]>;
  /** Those that were said to be drawn over the steps of training. */
  readonly #metrics = new Set([STEP_METRIC, "_step", "_runtime", "_timestamp"]);
  #sender: Sender | undefined;
  /** Until it is known where the server's lines end. */
  #held: WandbRecord[] | undefined;

  /** @param found of the server; nothing where the run is offline */
  private constructor(
    readonly options: WandbRunOptions,
    mode: "online" | "offline",
    past: Past,
  ) {
    const { context, settings, run } = options;
    const time = context.now();
    const { directory, runId } = settings;
    this.#environment = environmentOf(run);
    const earlier = mode === "offline" ? unsentDirectories(directory, runId).at(-1) : undefined;
    this.#goesOn = run.resumed && !earlier;
    if (earlier) {
      this.directory = earlier;
      this.#log = TransactionLog.continue(earlier.log);
    } else {
      this.directory = makeRunDirectory(directory, { runId, mode, time: new Date(time) });
      this.#log = new TransactionLog(this.directory.log);
      const opening = { config: configOf(run), environment: this.#environment, resume: run.resumed, time };
      for (const record of openingRecords(settings, run, opening)) this.#log.append(record);
    }
    const before = unsentDirectories(directory, runId).reduce(
      (so, { log }) => laterPast(so, readTransactionLog(log).records),
      past,
    );
    this.history = new History(before, time, (row) => this.#publishRow(row));
    this.media = new Media(this.directory.files, (path) =>
      this.#publish({ files: { files: [{ path, policy: NOW, type: MEDIA }] } }),
    );
  }

  static offline(options: WandbRunOptions): WandbRun {
    return new WandbRun(options, "offline", NO_PAST);
  }

  /** Not before {@link WandbRun.join} is anything sent. */
  static online(options: WandbRunOptions, { past }: Found): WandbRun {
    const run = new WandbRun(options, "online", past);
    run.#held = [];
    run.#publishSummary(Object.entries(run.history.summary));
    return run;
  }

  /** What uploads the run where the server does not have it. */
  get syncCommand(): string {
    return syncCommandOf(this.directory, this.#goesOn);
  }

  /**
   * Makes the run on the server and begins to send.
   *
   * @param behind the step of training behind which its history is to be cut; nothing to keep all
   * @returns where it is shown
   * @throws UserError where the server refuses it
   */
  async join(api: WandbApi, { status, offsets, past }: Found, behind: number | undefined): Promise<string> {
    const { context, settings, run } = this.options;
    let from: { offsets: Offsets; lastStep: number; behind?: number } = { offsets, lastStep: past.step };
    if (behind !== undefined && status) {
      try {
        const rows = await cutHistory(api, settings, behind);
        // W&B's own client begins anew with all but the rows.
        from = { offsets: { ...FROM_THE_BEGINNING, "wandb-history.jsonl": rows }, lastStep: behind, behind };
        this.history.rewound(behind);
      } catch (error) {
        context.note(
          `Weights & Biases keeps the steps behind ${behind}, as it cannot rewind the run: ${(error as Error).message}.`,
        );
      }
    }
    const configWith = (metrics: Iterable<string>): string =>
      serverConfig(configOf(run), this.#environment, metrics, status?.config ?? null);
    const program = run.command[0] ?? "";
    const made = await makeRun(api, settings, { config: configWith([]), host: run.host, program, status });
    this.#send(api, made, { ...from, configWith });
    return pageOf(settings, made);
  }

  /** Sends nothing more. */
  leave(): void {
    this.#held = undefined;
  }

  add(values: Row, step: number): void {
    this.history.add(values, step, this.options.context.now());
  }

  /** A line of what people see. */
  output(line: string): void {
    const time = this.options.context.now();
    this.#publish({ outputRaw: { outputType: STDOUT, timestamp: timestampOf(time), line: `${line}\n` } });
  }

  /**
   * @param readings those of other processes than the first get W&B's mark of a writer behind their names, but for the
   * GPUs of one machine, of which each process has its own
   */
  system(readings: readonly SystemReading[]): void {
    const { run } = this.options;
    for (const { time, rank, host, values } of readings) {
      const isOwn = (name: string): boolean => rank === 0 || (host === run.host && name.startsWith("gpu."));
      const item = Object.entries(values)
        .filter(([, value]) => Number.isFinite(value))
        .map(([name, value]) => ({
          key: isOwn(name) ? name : `${name}/l:rank${rank}`,
          valueJson: String(value),
        }));
      if (item.length > 0) this.#publish({ stats: { timestamp: timestampOf(time), item } });
    }
  }

  /** That the validation of a step was the best so far. */
  best(step: number): void {
    this.history.best(step);
    this.#publishSummary(Object.entries(this.history.summary).filter(([name]) => name.startsWith("best/")));
  }

  artifact(artifact: NonNullable<WandbRecord["artifact"]>): void {
    this.#publish({ artifact });
  }

  /** Where the run is; for an artifact's names. */
  get path(): RunPath {
    const { entity = "", project, runId } = this.options.settings;
    return this.#sender?.options.path ?? { entity, project, run: runId };
  }

  /** Ends the run everywhere. */
  async finish(exitCode: number): Promise<void> {
    this.history.flush();
    const runtime = Math.floor(this.history.runtimeAt(this.options.context.now()));
    this.#publishSummary([["_wandb", { runtime }]]);
    await this.#publishFiles({
      "wandb-metadata.json": JSON.stringify(metadataOf(this.#environment)),
      "wandb-summary.json": extendedJson(this.history.summary),
      "config.yaml": stringify(valuesOf(configOf(this.options.run))),
    });
    this.#publish({ exit: { exitCode, runtime } });
    this.#log.close();
    if (!this.#sender) return;
    const { note, working } = this.options.context;
    const living = setInterval(working, SIGN_OF_LIFE);
    const isSent = await this.#sender.finish(exitCode).finally(() => clearInterval(living));
    if (isSent) return;
    const rest = this.#writeRest(this.#sender, { exitCode, runtime });
    note(
      `What Weights & Biases did not get is in ${rest.path}; the run's next process sends it, or: ${syncCommandOf(rest, true)}`,
    );
  }

  /** What the server does not have, as if it had been logged offline. */
  #writeRest(sender: Sender, exit: NonNullable<WandbRecord["exit"]>): RunDirectory {
    const { context, settings, run } = this.options;
    const { directory, runId } = settings;
    const time = context.now();
    const rest = makeRunDirectory(directory, { runId, mode: "offline", time: new Date(time) });
    const log = new TransactionLog(rest.log);
    const opening = { config: configOf(run), environment: this.#environment, resume: true, time };
    for (const record of openingRecords(settings, run, opening)) log.append(record);
    for (const record of sender.left(readTransactionLog(this.directory.log).records)) {
      for (const { path } of record.files?.files ?? [])
        cpSync(join(this.directory.files, path!), join(rest.files, path!));
      log.append(record);
    }
    log.append({ exit });
    log.close();
    return rest;
  }

  #send(
    api: WandbApi,
    path: ServerRun,
    {
      offsets,
      lastStep,
      behind = Number.POSITIVE_INFINITY,
      configWith,
    }: {
      configWith: (metrics: Iterable<string>) => string;
      offsets: Offsets;
      lastStep: number;
      behind?: number;
    },
  ): void {
    const { context, settings } = this.options;
    const sender = new Sender(api, lastStep, {
      path,
      configWith,
      offsets,
      runtimeAt: (time) => this.history.runtimeAt(time),
      onStop: () => context.stop("Somebody pressed Stop in the run's page of Weights & Biases."),
      onLost: (reason) =>
        context.note(
          `Weights & Biases does not get all of the run: ${reason}. The rest is kept on this computer.`,
        ),
    });
    for (const earlier of unsentDirectories(settings.directory, settings.runId)) {
      for (const record of readTransactionLog(earlier.log).records)
        if (!isBehind(record, behind)) sender.take(record, earlier.files);
      void sender.sent().then((isThere) => isThere && markSynced(earlier));
    }
    sender.begin();
    for (const record of this.#held ?? []) sender.take(record, this.directory.files);
    this.#held = undefined;
    this.#sender = sender;
  }

  #publish(record: WandbRecord): void {
    this.#log.append(record);
    this.#held?.push(record);
    this.#sender?.take(record, this.directory.files);
  }

  /** What W&B's pages list beside media. */
  async #publishFiles(contents: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, text] of Object.entries(contents))
      await writeFileAtomic(join(this.directory.files, path), text);
    const files = Object.keys(contents).map((path) => ({ path, policy: NOW, type: WANDB }));
    this.#publish({ files: { files } });
  }

  #publishRow(row: Row): void {
    for (const name of Object.keys(row)) {
      if (this.#metrics.has(name)) continue;
      this.#metrics.add(name);
      this.#publish({
        metric: { name, stepMetric: STEP_METRIC, options: { stepSync: true, defined: true } },
      });
    }
    const item = itemsOf(Object.entries(row));
    this.#publish({ history: { item, step: { num: row._step as number } } });
    const runtime = Math.floor(row._runtime as number);
    this.#publish({ summary: { update: [...item, ...itemsOf([["_wandb", { runtime }]])] } });
  }

  #publishSummary(values: readonly (readonly [string, unknown])[]): void {
    if (values.length > 0) this.#publish({ summary: { update: itemsOf(values) } });
  }
}

function itemsOf(values: readonly (readonly [string, unknown])[]) {
  return values.map(([name, value]) => ({ nestedKey: [name], valueJson: extendedJson(value) }));
}

/** What is behind a run once a log's records are. Of the last row the summary may be missing where a process was killed. */
function laterPast(past: Past, records: readonly WandbRecord[]): Past {
  const summary: Record<string, unknown> = { ...past.summary };
  for (const { summary: changes, history } of records)
    for (const { nestedKey = [], valueJson } of [...(changes?.update ?? []), ...(history?.item ?? [])])
      summary[nestedKey.join(".")] = parseExtendedJson(valueJson!);
  const { _step = -1, _runtime = 0 } = summary as { _step?: number; _runtime?: number };
  return { step: Math.max(past.step, _step), runtime: Math.max(past.runtime, _runtime), summary };
}

/** Whether a record is a row of a step of training behind another. */
function isBehind({ history }: WandbRecord, step: number): boolean {
  const item = history?.item?.find(({ nestedKey }) => nestedKey?.[0] === STEP_METRIC);
  return item !== undefined && Number(item.valueJson) > step;
}

/** @param goesOn whether its rows come behind those that the server has: older clients would write over these */
function syncCommandOf({ path }: RunDirectory, goesOn: boolean): string {
  return `wandb sync ${shellWord(path)}${goesOn ? " (with wandb 0.31 or newer)" : ""}`;
}

function pageOf({ appUrl }: WandbSettings, { entity, project, run }: RunPath): string {
  return `${appUrl}/${[entity, project, "runs", run].map(encodeURIComponent).join("/")}`;
}
