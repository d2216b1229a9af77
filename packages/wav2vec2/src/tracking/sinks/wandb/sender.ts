import { join } from "node:path";
import { RefusedError, type WandbApi } from "./api.js";
import { uploadArtifact } from "./artifact.js";
import { FileStream, FROM_THE_BEGINNING, type LineFile, type Offsets } from "./file-stream.js";
import { createRunFiles, type RunPath, upsertRun } from "./operations.js";
import { type MessageOf, timeOf, type WandbRecord } from "./record.js";

/** Files whose places are asked for at once. */
const BATCH = 100;
/** To upload what a server refuses. */
const ATTEMPTS = 3;

export interface SenderOptions {
  path: RunPath;
  /** The run's config for the server, as JSON, once these metrics were logged. */
  configWith: (metrics: Iterable<string>) => string;
  offsets: Offsets;
  /** Seconds that the run had been going at a moment in milliseconds since 1970. */
  runtimeAt: (time: number) => number;
  onStop: () => void;
  /** Is told once why the server does not get everything. */
  onLost: (reason: string) => void;
}

type Item = MessageOf<"Item">;

/** Sends a run's records to the server, as W&B's client makes requests of its own log. */
export class Sender {
  readonly #stream: FileStream;
  readonly #summary = new Map<string, string>();
  readonly #metrics = new Set<string>();
  #metricsChanged = false;
  #files: { root: string; path: string }[] = [];
  readonly #uploaded = new Set<string>();
  #earlier: Record<LineFile, number> = { ...FROM_THE_BEGINNING };
  #uploading: Promise<void> = Promise.resolve();
  #step: number;
  #lost = false;

  /** @param lastStep `_step` of the last row that the server has */
  constructor(
    readonly api: WandbApi,
    lastStep: number,
    readonly options: SenderOptions,
  ) {
    this.#step = lastStep;
    const { path, offsets, onStop } = options;
    this.#stream = new FileStream(api, path, offsets, { onStop, onLost: (reason) => this.#lose(reason) });
  }

  /** @param root `files/` of the directory whose log has the record */
  take({ history, summary, stats, outputRaw, files, artifact, metric }: WandbRecord, root: string): void {
    if (metric?.name && metric.stepMetric) this.#takeMetric(metric.name);
    if (history) this.#takeRow(history.item ?? []);
    if (summary) this.#takeSummary(summary.update ?? []);
    if (stats) this.#takeStats(stats);
    if (outputRaw) this.#takeOutput(outputRaw);
    for (const { path } of files?.files ?? []) if (path) this.#upload(root, path);
    if (artifact)
      this.#queue(async () => {
        await uploadArtifact(this.api, this.options.path, artifact);
        this.#uploaded.add(artifact.digest!);
      });
  }

  /** That what was taken so far was of earlier processes. */
  begin(): void {
    for (const [name, { given }] of Object.entries(this.#stream.counts))
      this.#earlier[name as LineFile] = given;
  }

  /** Those of this process's records that the server has not confirmed. */
  left(records: readonly WandbRecord[]): WandbRecord[] {
    const had = new Map(
      Object.entries(this.#stream.counts).map(([name, { confirmed }]) => [
        name,
        confirmed - this.#earlier[name as LineFile],
      ]),
    );
    const isHad = (name: LineFile): boolean => {
      const left = had.get(name)!;
      had.set(name, left - 1);
      return left > 0;
    };
    return records.filter(({ history, stats, outputRaw, files, artifact, summary, metric }) => {
      if (history) return !isHad("wandb-history.jsonl");
      if (stats) return !isHad("wandb-events.jsonl");
      if (outputRaw) return !isHad("output.log");
      if (files) return files.files?.some(({ path }) => !this.#uploaded.has(path!));
      if (artifact) return !this.#uploaded.has(artifact.digest!);
      return (summary ?? metric?.name) !== undefined;
    });
  }

  /** Waits until the server has all that was taken so far. @returns whether it ever will */
  async sent(): Promise<boolean> {
    await this.#uploading;
    await this.#stream.sent();
    return !this.#lost;
  }

  /** @returns whether the server has everything */
  async finish(exitcode: number): Promise<boolean> {
    this.api.hurry();
    await this.#uploading;
    return (await this.#stream.finish(exitcode)) && !this.#lost;
  }

  #takeMetric(name: string): void {
    if (this.#metrics.has(name)) return;
    this.#metrics.add(name);
    this.#metricsChanged = true;
    this.#queue(async () => {
      if (!this.#metricsChanged) return; // with the one before
      this.#metricsChanged = false;
      const { entity, project, run } = this.options.path;
      const config = this.options.configWith(this.#metrics);
      await upsertRun(this.api, { name: run, entity, project, config });
    });
  }

  /** Rows that were written without the server have steps that it may have already. */
  #takeRow(items: readonly Item[]): void {
    const step = Number(items.find((item) => nameOf(item) === "_step")?.valueJson);
    this.#step = Math.max(step, this.#step + 1);
    const members = items.map((item) =>
      memberOf(nameOf(item), nameOf(item) === "_step" ? String(this.#step) : item.valueJson!),
    );
    if (!this.#stream.add("wandb-history.jsonl", `{${members.join()}}`))
      this.#lose(`a row of step ${step} is longer than it takes`);
  }

  #takeSummary(items: readonly Item[]): void {
    for (const item of items) this.#summary.set(nameOf(item), item.valueJson!);
    this.#stream.setSummary(
      () => `{${[...this.#summary].map(([name, json]) => memberOf(name, json)).join()}}`,
    );
  }

  #takeStats({ timestamp = {}, item = [] }: MessageOf<"Stats">): void {
    const time = timeOf(timestamp);
    const members = [
      memberOf("_wandb", "true"),
      memberOf("_timestamp", String(time / 1000)),
      memberOf("_runtime", String(this.options.runtimeAt(time))),
      ...item.map((one) => memberOf(`system.${nameOf(one)}`, one.valueJson!)),
    ];
    this.#stream.add("wandb-events.jsonl", `{${members.join()}}`);
  }

  /** The time before a line is what W&B's page of a run's log shows beside it. */
  #takeOutput({ timestamp = {}, line = "" }: MessageOf<"OutputRaw">): void {
    const time = new Date(timeOf(timestamp)).toISOString().replace("Z", "000");
    this.#stream.add("output.log", `${time} ${line.replace(/\n$/, "")}`);
  }

  #upload(root: string, path: string): void {
    this.#files.push({ root, path });
    this.#queue(async () => {
      const batch = this.#files.slice(0, BATCH);
      if (batch.length === 0) return; // with the one before
      const names = batch.map((file) => file.path);
      for (const { name, url, headers } of await createRunFiles(this.api, this.options.path, names)) {
        const file = batch.find((one) => one.path === name)!;
        await this.api.put(url, join(file.root, name), headers);
        this.#uploaded.add(name);
        this.#stream.uploaded(name);
      }
      this.#files.splice(0, batch.length);
    });
  }

  /**
   * Works off uploads one after another. What is refused is tried again from its beginning: a place to put a file holds for
   * some time only. What fails then is said and left out.
   */
  #queue(work: () => Promise<void>): void {
    this.#uploading = this.#uploading.then(async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          await work();
          return;
        } catch (error) {
          if (error instanceof RefusedError && attempt < ATTEMPTS) continue;
          this.#lose(`not all could be uploaded (${(error as Error).message})`);
          this.#files = this.#files.slice(BATCH);
          return;
        }
      }
    });
  }

  #lose(reason: string): void {
    if (this.#lost) return;
    this.#lost = true;
    this.options.onLost(reason);
  }
}

/** W&B's newer clients put a name in `nestedKey`, older ones in `key`. */
function nameOf({ key, nestedKey }: Item): string {
  return key || (nestedKey ?? []).join(".");
}

function memberOf(name: string, json: string): string {
  return `${JSON.stringify(name)}:${json}`;
}
