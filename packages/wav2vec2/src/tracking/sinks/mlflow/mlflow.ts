import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { clipFlac } from "../../../audio/flac/clip-flac.js";
import { UserError } from "../../../errors.js";
import { fileNameOf } from "../../../files/file-name.js";
import { RequestError } from "../../../files/hub/http-request.js";
import { codebookPicture, codedClipPicture } from "../../report/pictures.js";
import { reportPath } from "../../report/report.js";
import type { RunDescription, RunEnd } from "../../run-description.js";
import type { ServiceSinkOptions } from "../../service-thread.js";
import type { SinkContext } from "../../sink-context.js";
import type { MakeSink } from "../../threads/sink-worker.js";
import type { Sink } from "../../tracker.js";
import { TASK_NAMES } from "../../trained-task.js";
import { type Clip, clipPath } from "../clip-path.js";
import { loggedMetrics } from "../logged-metrics.js";
import { readStepLines } from "../metrics-file.js";
import { recipeValues } from "../recipe-values.js";
import { Batches } from "../sending/batches.js";
import { jsonNumber } from "../sending/json-number.js";
import { Outbox, type OutboxOptions } from "../sending/outbox.js";
import { ServiceClient, ServiceError } from "../sending/service-client.js";
import { artifactPath, filesBelow, putArtifact } from "./artifacts.js";
import { type KeyValue, MlflowRun } from "./mlflow-run.js";
import { mlflowSettings } from "./settings.js";
import { systemMetric } from "./system-names.js";

/** What one request may hold (https://mlflow.org/docs/latest/api_reference/rest-api.html#log-batch). */
const MOST_METRICS = 1000;
const MOST_PARAMS = 100;
const LONGEST_PARAM = 6000;
const LONGEST_TAG = 8000;

const STATUS: Readonly<Record<RunEnd["state"], string>> = {
  finished: "FINISHED",
  failed: "FAILED",
  interrupted: "KILLED",
};
const TRANSCRIPTS = "transcripts.json";

/**
 * Shows the run in an MLflow server, by its REST API. What cannot be sent waits, in memory: training does not.
 */
export function mlflowSink(
  context: SinkContext,
  { directory, logModel, mlflow: recipe }: ServiceSinkOptions,
  waits: OutboxOptions & { timeoutMs?: number } = {},
): Sink {
  const outbox = new Outbox("MLflow", context, waits);
  const heard = new Set<string>();
  let client: ServiceClient;
  let mlflowRun: MlflowRun;
  let described: RunDescription | undefined;
  let withoutArtifacts = false;
  const metrics = new Batches<object>(MOST_METRICS, (batch) =>
    outbox.push({
      what: "metrics",
      size: batch.length,
      send: () => mlflowRun.post("log-batch", { metrics: batch }),
    }),
  );

  const add = (name: string, value: number, step: number): void =>
    metrics.add({ key: allowed(name), value: jsonNumber(value), timestamp: context.now(), step });
  const post = (what: string, path: string, body: Readonly<Record<string, unknown>>): void =>
    outbox.push({ what, size: 1, send: () => mlflowRun.post(path, body) });
  const tag = (key: string, value: string): void =>
    post("tags", "set-tag", { key, value: value.slice(0, LONGEST_TAG) });
  /** @param make nothing leaves it out */
  const artifact = (name: string, make: () => Promise<Uint8Array | { path: string } | undefined>): void =>
    outbox.push({
      what: "artifacts",
      size: 1,
      async send() {
        const path = artifactPath(mlflowRun.artifactUri, name);
        if (path !== undefined) {
          const contents = await make();
          if (contents) await putArtifact(client, path, contents);
        } else if (!withoutArtifacts) {
          withoutArtifacts = true;
          context.note(
            `MLflow gets no pictures, clips and files, as its server leaves it to others to put them into ${mlflowRun.artifactUri}. ` +
              "Start mlflow server with --artifacts-destination to have them there.",
          );
        }
      },
    });
  const artifactFile = (name: string, path: string): void =>
    artifact(name, async () => (existsSync(path) ? { path } : undefined));
  const describe = (run: RunDescription): void => tag("mlflow.note.content", descriptionOf(run, directory));
  /** Each clip once: it does not change. */
  const clips = (shown: readonly Clip[]): void => {
    for (const clip of shown) {
      const path = clipPath(clip);
      if (clip.path === undefined || heard.has(path)) continue;
      heard.add(path);
      artifact(path, () => clipFlac(clip));
    }
  };
  const model = async (from: string): Promise<void> => {
    for (const { path, name } of await filesBelow(from)) artifactFile(`model/${name}`, path);
  };
  /** What the recipe says goes in once: params never change. */
  const tellStart = async (run: RunDescription): Promise<void> => {
    const before = mlflowRun.params;
    const params = paramsOf(run);
    const added = params.filter(({ key }) => !before.has(key));
    for (let first = 0; first < added.length; first += MOST_PARAMS)
      await mlflowRun.post("log-batch", { params: added.slice(first, first + MOST_PARAMS) });
    const changed = params.filter(({ key, value }) => before.has(key) && before.get(key) !== value);
    const tags = [...tagsOf(run), ...changed.map(({ key, value }) => ({ key: `changed.${key}`, value }))];
    await mlflowRun.post("log-batch", { tags: tags.slice(0, MOST_PARAMS) });
    await mlflowRun.post("update", { status: "RUNNING" });
    if (changed.length > 0)
      context.note(
        `MLflow's parameters never change: what the recipe says anew is there as tags (${changed.map(({ key }) => `changed.${key}`).join(", ")}).`,
      );
  };

  /** What an earlier process logged up to a step, and was killed before it was sent. */
  const tellMissing = async (upTo: number): Promise<void> => {
    const newest = mlflowRun.newestSteps;
    const missing = loggedMetrics(directory, upTo).flatMap(({ step, time, metrics }) =>
      Object.entries(metrics)
        .map(([name, value]) => ({ key: allowed(name), value: jsonNumber(value), timestamp: time, step }))
        .filter(({ key }) => step > (newest.get(key) ?? Number.NEGATIVE_INFINITY)),
    );
    for (let first = 0; first < missing.length; first += MOST_METRICS)
      await mlflowRun.post("log-batch", { metrics: missing.slice(first, first + MOST_METRICS) });
  };

  return {
    async begin(run) {
      described = run;
      const settings = mlflowSettings(process.env, recipe);
      if (settings.insecure) process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0"; // of this thread alone
      client = new ServiceClient(settings.address, settings.headers, waits.timeoutMs);
      mlflowRun = new MlflowRun(client, settings, run, context.note);
      const enter = async (): Promise<void> => {
        await mlflowRun.join().catch((error: unknown) => {
          throw refusal(error, settings.address);
        });
      };
      try {
        await enter();
        context.note(
          `MLflow shows the run: ${settings.address}/#/experiments/${mlflowRun.experiment}/runs/${mlflowRun.id}`,
        );
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        outbox.tellAway(error);
      }
      outbox.push({
        what: "the start of the run",
        size: 1,
        async send() {
          await enter();
          await tellStart(run);
        },
      });
      describe(run);
      artifactFile("recipe.yaml", join(directory, "recipe.yaml"));
      artifact("config.json", async () => Buffer.from(`${JSON.stringify(run.config, undefined, 2)}\n`));
    },
    resumed({ step }) {
      outbox.push({ what: "metrics of before", size: 1, send: () => tellMissing(step) });
    },
    log(values, step) {
      for (const [name, value] of Object.entries(values)) add(name, value, step);
    },
    note(_text, finding) {
      if (finding && described) describe(described);
    },
    transcripts(samples, step) {
      tag("mlflow.loggedArtifacts", JSON.stringify([{ path: TRANSCRIPTS, type: "table" }]));
      artifact(TRANSCRIPTS, async () => transcriptTable(directory, step));
      clips(samples);
    },
    codebooks(_counts, step) {
      artifact("codebooks.png", async () => {
        const rows = readStepLines(join(directory, "codebooks.jsonl")).filter((row) => row.step <= step);
        return (await codebookPicture(rows))?.png;
      });
    },
    codedClips(coded) {
      for (const clip of coded)
        artifact(`coded_clips/${fileNameOf(clip.id)}.png`, async () => (await codedClipPicture(clip)).png);
      clips(coded);
    },
    system(readings, step) {
      for (const { time, rank, values } of readings) {
        for (const [own, ownValue] of Object.entries(values)) {
          const { name, value } = systemMetric(own, ownValue);
          const key = allowed(`system/${rank === 0 ? "" : `${rank}/`}${name}`);
          metrics.add({ key, value: jsonNumber(value), timestamp: Math.round(time), step });
        }
      }
    },
    async saved(kind, from) {
      if (kind === "final" && logModel === "final") await model(from);
    },
    async end({ state, reason }) {
      metrics.flush();
      if (reason !== undefined) tag("wav2vec2.failure", reason);
      post("the end of the run", "update", { status: STATUS[state], end_time: context.now() });
      const best = join(directory, "best");
      if (state === "finished" && logModel === "best" && existsSync(best)) await model(best);
    },
    async close() {
      metrics.flush();
      if (!described) return;
      artifactFile("log.txt", join(directory, "log.txt"));
      if (logModel !== "none") artifactFile("report.html", reportPath(directory));
      await outbox.close();
    },
  };
}

/** What is thrown where no waiting helps is what the user must mend. */
function refusal(error: unknown, address: string): unknown {
  if (!(error instanceof RequestError) || error.transient) return error;
  if (error instanceof ServiceError && error.forbids)
    return new UserError(
      `MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, must be those of ${address}, but it lets nobody in ` +
        `with them (${error.message}).`,
      { cause: error },
    );
  return new UserError(
    `MLFLOW_TRACKING_URI must be the address of an MLflow server, but ${address} does not answer as one (${error.message}).`,
    { cause: error },
  );
}

/** MLflow's names have letters, digits, and few other characters. */
function allowed(name: string): string {
  return name.replace(/[^\w./ :-]/g, "_").replace(/\/{2,}/g, "/");
}

function paramsOf(run: RunDescription): KeyValue[] {
  const values = {
    ...recipeValues(run),
    parameters: run.parameters.all,
    parameters_trained: run.parameters.trained,
    processes: run.processes,
    device: run.device,
  };
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: String(value).slice(0, LONGEST_PARAM),
  }));
}

function tagsOf(run: RunDescription): KeyValue[] {
  const tags = {
    "mlflow.user": userName(),
    "mlflow.source.name": run.command.join(" "),
    "mlflow.source.type": "LOCAL",
    "wav2vec2.run": run.id,
    "wav2vec2.task": run.task,
    "wav2vec2.host": run.host,
    "wav2vec2.directory": run.directory,
    ...Object.fromEntries(
      Object.entries(run.versions).map(([name, version]) => [`version.${name}`, version]),
    ),
  };
  return Object.entries(tags).map(([key, value]) => ({ key, value: value.slice(0, LONGEST_TAG) }));
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return ""; // a container's user may have no name
  }
}

/** Markdown: what the run is, and what looked wrong in it. */
function descriptionOf({ task, parameters, host, device }: RunDescription, directory: string): string {
  const what = TASK_NAMES[task].replace(/^./, (letter) => letter.toUpperCase());
  const findings = readStepLines(join(directory, "findings.jsonl")).map(
    ({ step, text }) => `- Step ${step}: ${String(text)}`,
  );
  return [
    `${what} of ${(parameters.all / 1e6).toFixed(1)} M parameters on ${host} (${device}), in \`${directory}\`.`,
    ...(findings.length > 0 ? ["", "**What looks wrong**", "", ...findings] : []),
  ].join("\n");
}

/** What `mlflow.log_table` writes. */
function transcriptTable(directory: string, step: number): Uint8Array {
  const columns = ["step", "id", "reference", "hypothesis"];
  const rows = readStepLines(join(directory, TRANSCRIPTS.replace("json", "jsonl"))).filter(
    (row) => row.step <= step,
  );
  return Buffer.from(
    JSON.stringify({ columns, data: rows.map((row) => columns.map((column) => row[column])) }),
  );
}

const makeSink: MakeSink<ServiceSinkOptions> = (context, options) => mlflowSink(context, options);

export default makeSink;
