import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Random } from "../../src/data/random.js";
import { UserError } from "../../src/errors.js";
import { DEFAULT_SERVICE_OPTIONS } from "../../src/tracking/service-thread.js";
import { mlflowSink } from "../../src/tracking/sinks/mlflow/mlflow.js";
import { freePort } from "../fixtures/python-server.js";
import { temporaryDirectory } from "../fixtures/temporary-directory.js";
import { FakeMlflow, type Fault } from "./mlflow-server.js";
import { runDescription, sinkContext } from "./tracker-fixture.js";

// A server that fails as networks and servers do: what it holds at the end is what was logged, once.

const WAITS = { firstWaitMs: 5, longestWaitMs: 40, patienceMs: 2000, timeoutMs: 20_000 };

let server: FakeMlflow;
let directory: string;
beforeEach(async () => {
  directory = await temporaryDirectory("mlflow");
  server = new FakeMlflow();
  vi.stubEnv("MLFLOW_TRACKING_URI", await server.start());
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.stop();
});

function started(options: Partial<typeof DEFAULT_SERVICE_OPTIONS> = {}, waits = {}) {
  const context = sinkContext();
  const sink = mlflowSink(
    context,
    { ...DEFAULT_SERVICE_OPTIONS, because: "recipe", ...options, directory },
    { ...WAITS, ...waits },
  );
  return { notes: context.notes, sink: sink as Required<typeof sink> };
}

const losses = (): unknown[][] =>
  server.run.metrics.filter(({ key }) => key === "loss").map(({ step, value }) => [step, value]);
const logged = Array.from({ length: 500 }, (_, step) => [step, step / 8]);

async function train(
  { sink }: ReturnType<typeof started>,
  ending: "finished" | "interrupted" = "finished",
): Promise<void> {
  await sink.begin(runDescription(directory));
  for (const [step, loss] of logged) {
    sink.log({ loss: loss!, "eval/a (b)": 1, odd: Number.NaN }, step!);
    if (step! % 100 === 99) await new Promise((done) => setTimeout(done, 5));
  }
  await sink.end({ state: ending });
  await sink.close();
}

describe("MLflow", () => {
  it("gets the recipe, all values and the end", async () => {
    const run = started();
    await train(run);
    expect(losses()).toEqual(logged);
    const { params, tags, status, metrics } = server.run;
    expect(Object.fromEntries(params)).toMatchObject({
      "optimizer.learning_rate": "0.0005",
      "optimizer.betas": "[0.9,0.98]",
      parameters: "1234",
    });
    expect(params.has("schedule.warmup_steps")).toBe(false);
    expect(tags.get("mlflow.source.name")).toBe("wav2vec2 finetune --config recipe.yaml");
    expect(status).toBe("FINISHED");
    expect(metrics.filter(({ key }) => key === "odd")[0]?.value).toBe("NaN");
    expect(metrics.some(({ key }) => key === "eval/a _b_")).toBe(true);
    expect([...server.experiments.keys()]).toEqual(["wav2vec2"]);
    expect(run.notes).toEqual([
      expect.stringMatching(/^MLflow shows the run: http.*experiments\/1\/runs\/run1$/),
    ]);
  });

  it("loses nothing and doubles nothing where every second request fails in some way", async () => {
    const faults: Fault[] = [500, 429, "silence", "dropped", "answer lost", "answer cut off"];
    for (const seed of [1, 2, 3]) {
      server.runs.clear();
      const random = new Random(seed, "faults");
      server.fault = () => (random.uniform() < 0.5 ? faults[random.integer(faults.length)] : undefined);
      const run = started({}, { patienceMs: 60_000, timeoutMs: 300 });
      await train(run);
      expect(losses()).toEqual(logged);
      expect(server.run.status).toBe("FINISHED");
      expect(server.run.params.size).toBeGreaterThan(8);
      expect(server.artifacts.size).toBeGreaterThan(0);
      server.artifacts.clear();
    }
  });

  it("makes one run where the answer to its making was lost", async () => {
    let lost = 0;
    server.fault = (path) => (path.endsWith("runs/create") && lost++ < 2 ? "answer lost" : undefined);
    await train(started());
    expect(server.runs.size).toBe(1);
    expect(losses()).toEqual(logged);
  });

  it("is the same run when it goes on, and what the recipe says anew are tags", async () => {
    await train(started(), "interrupted");
    expect(server.run.status).toBe("KILLED");
    const { notes, sink } = started();
    const before = runDescription(directory);
    const recipe = { ...before.recipe, max_steps: 200, new_key: 1 };
    await sink.begin({ ...before, recipe, resumed: true });
    await vi.waitFor(() => expect(server.run.status).toBe("RUNNING"));
    sink.log({ loss: 1 }, 1000);
    await sink.end({ state: "failed", reason: "The loss must be finite." });
    await sink.close();
    expect(losses().at(-1)).toEqual([1000, 1]);
    const { params, tags, status } = server.run;
    expect([params.get("max_steps"), params.get("new_key"), tags.get("changed.max_steps")]).toEqual([
      "100",
      "1",
      "200",
    ]);
    expect([status, tags.get("wav2vec2.failure")]).toEqual(["FAILED", "The loss must be finite."]);
    expect(notes.filter((note) => note.includes("changed.max_steps"))).toHaveLength(1);
  });

  it("gets from the run directory what a process was killed with", async () => {
    const line = (step: number, values: object) =>
      `${JSON.stringify({ step, time: 1700 + step, ...values })}\n`;
    const first = started();
    await first.sink.begin(runDescription(directory));
    first.sink.log({ loss: 1 }, 1);
    await vi.waitFor(() => expect(losses()).toEqual([[1, 1]]), { timeout: 10_000 });
    await writeFile(
      join(directory, "metrics.jsonl"),
      [
        line(1, { loss: 1 }),
        line(2, { loss: null }),
        line(2, { "eval/wer": 0.5 }),
        line(3, { loss: 3 }),
      ].join(""),
    );
    const { sink } = started();
    await sink.begin({ ...runDescription(directory), resumed: true });
    sink.resumed({ step: 2, evaluated: 2 });
    sink.log({ loss: 33 }, 3);
    await sink.close();
    expect(losses()).toEqual([
      [1, 1],
      [2, "NaN"],
      [3, 33],
    ]);
    expect(server.run.metrics).toContainEqual({ key: "eval/wer", value: 0.5, timestamp: 1702_000, step: 2 });
  });

  it("that is away at the start gets all once it is there, and the run is told", async () => {
    await server.stop();
    const port = await freePort();
    vi.stubEnv("MLFLOW_TRACKING_URI", `http://127.0.0.1:${port}/`);
    const { notes, sink } = started();
    await sink.begin(runDescription(directory));
    for (const [step, loss] of logged) sink.log({ loss: loss! }, step!);
    await vi.waitFor(() => expect(notes.some((note) => /takes nothing now .*REFUSED/.test(note))).toBe(true));
    await server.start(port);
    await sink.end({ state: "finished" });
    await sink.close();
    expect(losses()).toEqual(logged);
    expect(notes).toContain("MLflow answers again and gets what waited.");
  });

  it("that stays away ends the run in time, which says what is lacking", async () => {
    await server.stop();
    const run = started({}, { patienceMs: 300 });
    await train(run);
    expect(run.notes.at(-1)).toMatch(
      /^MLflow lacks the last \d+ values of this run, as .*REFUSED.*; the run directory has them all, and --resume sends them\.$/,
    );
    await server.start();
  });

  it("keeps no more than fits, and says how much is lacking", async () => {
    await server.stop();
    const { notes, sink } = started({}, { most: 1000, patienceMs: 100 });
    await sink.begin(runDescription(directory));
    for (let step = 0; step < 3000; step++) sink.log({ loss: 1 }, step);
    await sink.close();
    expect(notes.filter((note) => note.includes("has been away for too long"))).toHaveLength(1);
    expect(notes.at(-1)).toMatch(/lacks the last 300\d values/);
    await server.start();
  });

  it("that lets nobody in ends the run before it begins", async () => {
    server.login = `Basic ${Buffer.from("ada:right").toString("base64")}`;
    vi.stubEnv("MLFLOW_TRACKING_USERNAME", "ada");
    vi.stubEnv("MLFLOW_TRACKING_PASSWORD", "wrong");
    await expect(started().sink.begin(runDescription(directory))).rejects.toThrow(
      /MLFLOW_TRACKING_PASSWORD.* must be those of http.*, but it lets nobody in.*401: You are not authenticated/,
    );
    vi.stubEnv("MLFLOW_TRACKING_PASSWORD", "right");
    await train(started());
    expect(losses()).toEqual(logged);
  });

  it("is refused where there is no server of MLflow, or not what is asked for there", async () => {
    const begin = async (variables: Record<string, string>): Promise<unknown> => {
      for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
      const error = await Promise.resolve(started().sink.begin(runDescription(directory))).catch(
        (error: unknown) => error,
      );
      expect(error).toBeInstanceOf(UserError);
      return (error as Error).message;
    };
    const { MLFLOW_TRACKING_URI: address = "" } = process.env;
    expect(await begin({ MLFLOW_TRACKING_URI: "file:///tmp/mlruns" })).toMatch(
      /MLFLOW_TRACKING_URI must be the address .* but is file:\/\/\/tmp\/mlruns\. Start one with mlflow server --backend-store-uri/,
    );
    expect(await begin({ MLFLOW_TRACKING_URI: "sqlite:///a.db" })).toContain(
      "--backend-store-uri 'sqlite:///a.db'",
    );
    expect(await begin({ MLFLOW_TRACKING_URI: "" })).toContain("but is not set");
    expect(await begin({ MLFLOW_TRACKING_URI: `${address}/other` })).toContain("does not answer as one");
    expect(await begin({ MLFLOW_TRACKING_URI: address, MLFLOW_RUN_ID: "none" })).toMatch(
      /MLFLOW_RUN_ID must be .*none is not there/,
    );
    server.experiments.set("old", { id: "7", deleted: true });
    expect(await begin({ MLFLOW_RUN_ID: "", MLFLOW_EXPERIMENT_NAME: "old" })).toMatch(
      /was deleted\. Restore it .*--experiment-id 7/,
    );
  });

  it("takes system metrics under its own names, and clips, tables and models as artifacts", async () => {
    await mkdir(join(directory, "final"));
    await writeFile(join(directory, "final", "model.safetensors"), Buffer.alloc(3_000_000, 7));
    await writeFile(join(directory, "report.html"), "<p>report</p>");
    await writeFile(
      join(directory, "transcripts.jsonl"),
      '{"step":5,"id":"a","reference":"A","hypothesis":"B"}\n',
    );
    const { sink } = started({ logModel: "final" });
    await sink.begin(runDescription(directory));
    const values = { cpu: 40, "gpu.1.memoryAllocatedBytes": 5e6, "disk./.freeGB": 1, "gpu.1.temp": 60 };
    sink.system([{ time: 1700, rank: 1, host: "b", values }], 5);
    await sink.transcripts([{ id: "a", reference: "A", hypothesis: "B" }], 5);
    await sink.saved("final", join(directory, "final"), 5);
    await sink.end({ state: "finished" });
    await sink.close();
    expect(Object.fromEntries(server.run.metrics.map(({ key, value }) => [key, value]))).toEqual({
      "system/1/cpu_utilization_percentage": 40,
      "system/1/gpu_1_memory_usage_megabytes": 5,
      "system/1/disk_available_megabytes": 1073.741824,
      "system/1/gpu.1.temp": 60,
    });
    const artifact = (name: string): string =>
      server.artifacts.get(`1/run1/artifacts/${name}`)?.toString("latin1") ?? "";
    expect(JSON.parse(artifact("transcripts.json"))).toEqual({
      columns: ["step", "id", "reference", "hypothesis"],
      data: [[5, "a", "A", "B"]],
    });
    expect(server.run.tags.get("mlflow.loggedArtifacts")).toBe(
      '[{"path":"transcripts.json","type":"table"}]',
    );
    expect(artifact("model/model.safetensors")).toHaveLength(3_000_000);
    expect(artifact("report.html")).toBe("<p>report</p>");
    expect(JSON.parse(artifact("config.json")).model_type).toBe("wav2vec2");
  });
});
