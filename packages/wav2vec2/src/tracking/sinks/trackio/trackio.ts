import { randomUUID } from "node:crypto";
import { UserError } from "../../../errors.js";
import { RequestError } from "../../../files/hub/http-request.js";
import type { RunDescription } from "../../run-description.js";
import type { ServiceSinkOptions } from "../../service-thread.js";
import type { MakeSink } from "../../threads/sink-worker.js";
import { loggedMetrics } from "../logged-metrics.js";
import { recipeValues } from "../recipe-values.js";
import { Batches } from "../sending/batches.js";
import { jsonNumber } from "../sending/json-number.js";
import { Outbox } from "../sending/outbox.js";
import { ServiceClient } from "../sending/service-client.js";
import { type TrackioSettings, trackioSettings } from "./settings.js";

const MOST_ENTRIES = 200;

/**
 * Shows the run in Trackio: metrics, tables of transcripts, histograms, system metrics and findings, with the recipe as its
 * configuration. What cannot be sent waits, in memory: training does not.
 */
const trackio: MakeSink<ServiceSinkOptions> = (context, { directory }) => {
  const outbox = new Outbox("Trackio", context);
  let run: RunDescription;
  let settings: TrackioSettings;
  let client: ServiceClient;
  let config: Record<string, unknown> | undefined;

  const ask = async <Answer>(name: string, kwargs: Readonly<Record<string, unknown>>): Promise<Answer> =>
    (await client.json<{ data: Answer }>(`/api/${name}`, { args: [], kwargs })).data;
  const call = async (name: string, entries: Readonly<Record<string, unknown>>): Promise<void> =>
    await ask(name, { ...entries, hf_token: settings.token });
  const batches = (what: string, name: string, key: string) =>
    new Batches<object>(MOST_ENTRIES, (batch) =>
      outbox.push({ what, size: batch.length, send: () => call(name, { [key]: batch }) }),
    );
  const metrics = batches("metrics", "bulk_log", "logs");
  const system = batches("system metrics", "bulk_log_system", "logs");
  const alerts = batches("findings", "bulk_alert", "alerts");
  const place = () => ({ project: settings.project, run: run.name, run_id: run.id });
  /** @param log_id by which an entry that is sent again is known */
  const entryOf = (
    values: Readonly<Record<string, unknown>>,
    step: number,
    log_id: string = randomUUID(),
  ) => ({
    ...place(),
    metrics: Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        typeof value === "number" ? jsonNumber(value) : value,
      ]),
    ),
    step,
    log_id,
  });
  const add = (values: Readonly<Record<string, unknown>>, step: number): void => {
    metrics.add({ ...entryOf(values, step), ...(config && { config }) });
    config = undefined;
  };
  /** What an earlier process logged up to a step, and was killed before it was sent. */
  const tellMissing = async (upTo: number): Promise<void> => {
    const { last_step: last } = await ask<{ last_step: number | null }>("get_run_summary", place());
    const missing = loggedMetrics(directory, upTo)
      .filter(({ step }) => step > (last ?? -1))
      .map(({ step, time, metrics }) => entryOf(metrics, step, `${run.id}-${step}-${time}`));
    for (let first = 0; first < missing.length; first += MOST_ENTRIES)
      await call("bulk_log", { logs: missing.slice(first, first + MOST_ENTRIES) });
  };

  return {
    async begin(description) {
      run = description;
      settings = trackioSettings(process.env);
      client = new ServiceClient(settings.address, settings.headers);
      config = {
        ...recipeValues(run),
        _Username: null,
        _Created: new Date(run.began).toISOString(),
        _Group: run.task,
      };
      await call("bulk_log", { logs: [] }).catch((error: unknown) => {
        if (!(error instanceof RequestError)) throw error;
        if (error.transient) return outbox.tellAway(error);
        throw new UserError(
          `Trackio must take the run at ${settings.address}, but does not (${error.message.replace(/\.$/, "")}). Take the address with write_token that ` +
            "trackio show prints now, or TRACKIO_WRITE_TOKEN or HF_TOKEN of one who may write.",
          { cause: error },
        );
      });
    },
    resumed({ step }) {
      outbox.push({ what: "metrics of before", size: 1, send: () => tellMissing(step) });
    },
    log: add,
    note(text, finding) {
      if (!finding || !run) return;
      const { step, name } = finding;
      const timestamp = new Date(context.now()).toISOString();
      alerts.add({ ...place(), alert_id: randomUUID(), title: name, text, level: "warn", step, timestamp });
    },
    transcripts(samples, step) {
      const rows = samples.map(({ id, reference, hypothesis }) => ({ id, reference, hypothesis }));
      add({ transcripts: { _type: "trackio.table", _value: rows } }, step);
    },
    histograms(histograms, step) {
      const values = Object.entries(histograms).map(([name, { edges, counts }]) => [
        name,
        { _type: "trackio.histogram", bins: edges, values: counts },
      ]);
      add(Object.fromEntries(values), step);
    },
    system(readings) {
      for (const { time, rank, values } of readings) {
        const named = Object.entries(values).map(([name, value]) => [
          rank === 0 ? name : `rank ${rank}/${name}`,
          jsonNumber(value),
        ]);
        const timestamp = new Date(time).toISOString();
        system.add({ ...place(), log_id: randomUUID(), metrics: Object.fromEntries(named), timestamp });
      }
    },
    async close() {
      for (const each of [metrics, system, alerts]) each.flush();
      if (client) await outbox.close();
    },
  };
};

export default trackio;
