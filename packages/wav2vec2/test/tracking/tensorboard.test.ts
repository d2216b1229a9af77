import { appendFileSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { DEFAULT_SERVICE_OPTIONS } from "../../src/tracking/service-thread.js";
import { metricsFile } from "../../src/tracking/sinks/metrics-file.js";
import tensorBoard from "../../src/tracking/sinks/tensorboard/tensorboard.js";
import type { Sink } from "../../src/tracking/tracker.js";
import { freePort, type PythonServer, startPythonServer } from "../fixtures/python-server.js";
import { writeToneCorpus } from "../fixtures/tone-corpus.js";
import { codedClip, runDescription, sinkContext, TRACKERS_PYTHON } from "./tracker-fixture.js";

// The real TensorBoard reads what the sink wrote, by both of its readers. TRACKERS_PYTHON names a Python that has it.

let logs: string;
let clip: string;

/** One process of a run: its file of metrics, and the sink as in its thread. */
function processOf(name: string, { resume = false } = {}) {
  const directory = join(logs, name);
  const file = metricsFile(directory, { resume });
  const sink = tensorBoard(sinkContext(), {
    ...DEFAULT_SERVICE_OPTIONS,
    because: "recipe",
    directory,
  }) as Sink;
  return {
    directory,
    async tell<Name extends keyof Sink>(method: Name, ...values: Parameters<NonNullable<Sink[Name]>>) {
      for (const each of [file as Sink, sink])
        await (each[method] as ((...values: unknown[]) => unknown) | undefined)?.(...values);
    },
  };
}

async function writeRuns(): Promise<void> {
  const first = processOf("fine");
  const run = runDescription(first.directory);
  await first.tell("note", "3 clips are left out.");
  await first.tell("begin", run);
  for (const step of [10, 20, 30, 40, 50]) {
    await first.tell("log", { loss: 5 / step, learning_rate: step * 1e-5, odd: Number.NaN }, step);
    await first.tell("log", { "eval/wer": 1 - step / 100, "eval/ctc_loss": Number.POSITIVE_INFINITY }, step);
    const heard = { reference: "A|B", hypothesis: `<b>*${step}*`, path: clip };
    await first.tell("transcripts", [{ id: "1-1-0000", ...heard }], step);
  }
  // Killed: nothing is closed, and the end is torn.
  const [file] = readdirSync(join(first.directory, "tensorboard")).filter(
    (name) => !name.endsWith("hparams"),
  );
  appendFileSync(join(first.directory, "tensorboard", file!), Buffer.from([40, 0, 0, 0, 0]));

  const second = processOf("fine", { resume: true });
  await second.tell("note", "The directory is taken over.");
  await second.tell("begin", { ...run, resumed: true });
  await second.tell("resumed", { step: 30, evaluated: 30 });
  await second.tell("note", "Resumed at step 30 of 100.");
  for (const step of [40, 50, 60]) {
    await second.tell("log", { loss: 7 / step, odd: Number.NEGATIVE_INFINITY }, step);
    await second.tell("log", { "eval/wer": 0.5 - step / 1000 }, step);
  }
  await second.tell("note", "Validation gets worse.", { step: 60, name: "memorising" });
  await second.tell("end", { state: "finished" });
  await second.tell("close");

  const pretraining = processOf("pre");
  await pretraining.tell(
    "begin",
    runDescription(pretraining.directory, { id: "zz99zz99", task: "pretrain", recipe: { seed: 2 } }),
  );
  for (const step of [100, 200]) {
    await pretraining.tell("log", { contrastive_loss: 4.6 }, step);
    await pretraining.tell(
      "codebooks",
      [
        [step, 0, 3, 0],
        [1, 1, 1, 1],
      ],
      step,
    );
    await pretraining.tell("codedClips", [codedClip("1-1-0001", clip)], step);
    const histogram = { edges: [-1, 0, 1, 2], counts: [3, 0, step] };
    await pretraining.tell("histograms", { "weights/quantizer.weight_proj.weight": histogram }, step);
    const reading = { time: 1, rank: 1, host: "b", values: { "gpu.0.temp": 61 } };
    await pretraining.tell("system", [{ ...reading, rank: 0, values: { cpu: 50 } }, reading], step);
  }
  await pretraining.tell("end", { state: "failed", reason: "The loss must be finite." });
  await pretraining.tell("close");
}

beforeAll(async () => {
  logs = await mkdtemp(join(tmpdir(), "tensorboard-"));
  await writeToneCorpus(join(logs, "../", `${logs.split("/").pop()}-corpus`), { dev: 1 });
  clip = join(`${logs}-corpus`, "dev/1/1/1-1-0000.flac");
  await writeRuns();
}, 180_000);
afterAll(async () => {
  await rm(logs, { recursive: true, force: true });
  await rm(`${logs}-corpus`, { recursive: true, force: true });
});

describe.skipIf(!TRACKERS_PYTHON).each([
  ["its own reader", "false"],
  ["its fast reader", "true"],
])("TensorBoard by %s (skipped without TRACKERS_PYTHON)", (_, fast) => {
  let server: PythonServer;
  beforeAll(async () => {
    const port = await freePort();
    const options = ["--logdir", logs, "--port", String(port), "--load_fast", fast, "--reload_interval", "1"];
    server = await startPythonServer(TRACKERS_PYTHON!, ["-m", "tensorboard.main", ...options], {
      port,
      path: "/data/environment",
    });
    await vi.waitFor(
      async () => {
        expect((await scalars(FINE, "loss")).at(-1)?.[0]).toBe(60);
        expect(Object.keys((await plugin("images", "tags"))[PRE])).toHaveLength(2);
        expect(await plugin("hparams", "experiment", {}, "POST")).not.toEqual({});
      },
      { timeout: 120_000, interval: 500 },
    );
  }, 180_000);
  afterAll(() => server?.stop());

  // biome-ignore lint/suspicious/noExplicitAny: answers of another program
  async function plugin(name: string, route: string, query: object = {}, method = "GET"): Promise<any> {
    const search = method === "GET" ? `?${new URLSearchParams(query as Record<string, string>)}` : "";
    const response = await fetch(`${server.url}/data/plugin/${name}/${route}${search}`, {
      method,
      ...(method === "POST" && {
        body: JSON.stringify(query),
        headers: { "content-type": "application/json" },
      }),
    });
    if (!response.ok) throw new Error(`${route}: ${response.status} ${await response.text()}`);
    return await response.json();
  }
  const FINE = "fine/tensorboard";
  const PRE = "pre/tensorboard";
  const scalars = async (run: string, tag: string): Promise<(number | string)[][]> =>
    (await plugin("scalars", "scalars", { run, tag })).map(([, step, value]: [number, number, number]) => [
      step,
      value,
    ]);

  it("has all runs and their curves", async () => {
    const tags = await plugin("scalars", "tags");
    expect(Object.keys(tags).sort()).toEqual([FINE, PRE]);
    expect(Object.keys(tags[FINE]).sort()).toEqual([
      "eval/ctc_loss",
      "eval/wer",
      "learning_rate",
      "loss",
      "odd",
    ]);
    expect(Object.keys(tags[PRE]).sort()).toEqual([
      "contrastive_loss",
      "system/cpu",
      "system/rank 1/gpu.0.temp",
    ]);
  });

  it("has each step once after a resume, those done anew as they were then", async () => {
    const loss = await scalars(FINE, "loss");
    expect(loss.map(([step]) => step)).toEqual([10, 20, 30, 40, 50, 60]);
    const expected = [5 / 10, 5 / 20, 5 / 30, 7 / 40, 7 / 50, 7 / 60];
    for (const [index, [, value]] of loss.entries()) expect(value).toBeCloseTo(expected[index]!, 6);
    expect((await scalars(FINE, "eval/wer")).map(([step]) => step)).toEqual([10, 20, 30, 40, 50, 60]);
    expect((await scalars(FINE, "odd")).map(([, value]) => value)).toEqual([
      "NaN",
      "NaN",
      "NaN",
      "-Infinity",
      "-Infinity",
      "-Infinity",
    ]);
  });

  it("has texts", async () => {
    const of = async (tag: string): Promise<{ step: number; text: string }[]> =>
      await plugin("text", "text", { run: FINE, tag });
    expect((await of("recipe")).at(-1)!.text).toContain("learning_rate: 0.0005");
    expect((await of("run")).at(-1)!.text).toContain("<td>wav2vec2 finetune --config recipe.yaml</td>");
    const notes = await of("notes");
    expect(notes[0]).toMatchObject({
      step: 0,
      text: expect.stringContaining("<li>step 0: 3 clips are left out.</li>"),
    });
    expect(notes.at(-1)).toMatchObject({
      step: 60,
      text: expect.stringMatching(/taken over.*\n.*Resumed at step 30 of 100.*\n.*Validation gets worse/),
    });
    expect((await of("findings")).at(-1)!.text).toContain("step 60: Validation gets worse.");
    const [transcripts] = await of("transcripts");
    expect(transcripts!.step).toBe(10);
    for (const cell of ["1-1-0000", "A&#124;B", "&#60;b&#62;&#42;10&#42;"])
      expect(transcripts!.text).toContain(`<td>${cell}</td>`);
  });

  it("has clips that can be heard", async () => {
    for (const [run, tag] of [
      [FINE, "clips/1-1-0000"],
      [PRE, "clips/1-1-0001"],
    ] as const) {
      const list = await plugin("audio", "audio", { run, tag, sample: "0" });
      expect(list).toEqual([expect.objectContaining({ contentType: "audio/wav" })]);
      const wav = await fetch(`${server.url}/data/plugin/audio/individualAudio?${list[0].query}`);
      expect(Buffer.from(await wav.arrayBuffer()).toString("latin1", 0, 4)).toBe("RIFF");
    }
    expect((await plugin("audio", "tags"))[FINE]["clips/1-1-0000"].description).toBe("<p>A&#124;B</p>");
  });

  it("has pictures and histograms", async () => {
    for (const tag of ["codebooks", "coded_clips/1-1-0001"]) {
      const list = await plugin("images", "images", { run: PRE, tag, sample: "0" });
      expect(list.map(({ step }: { step: number }) => step)).toEqual([100, 200]);
      const png = await fetch(`${server.url}/data/plugin/images/individualImage?${list[0].query}`);
      expect(Buffer.from(await png.arrayBuffer()).toString("latin1", 1, 4)).toBe("PNG");
    }
    const tag = "weights/quantizer.weight_proj.weight";
    const histograms = await plugin("histograms", "histograms", { run: PRE, tag });
    expect(histograms.map(([, step, bins]: [number, number, number[][]]) => [step, bins])).toEqual([
      [
        100,
        [
          [-1, 0, 3],
          [0, 1, 0],
          [1, 2, 100],
        ],
      ],
      [
        200,
        [
          [-1, 0, 3],
          [0, 1, 0],
          [1, 2, 200],
        ],
      ],
    ]);
  });

  it("has the recipes and results side by side", async () => {
    const experiment = await plugin("hparams", "experiment", { experimentName: "" }, "POST");
    const names = experiment.hparamInfos.map(({ name }: { name: string }) => name);
    expect(names).toEqual(
      expect.arrayContaining(["task", "seed", "optimizer.learning_rate", "optimizer.betas"]),
    );
    expect(names).not.toContain("output");
    const { sessionGroups } = await plugin(
      "hparams",
      "session_groups",
      {
        experimentName: "",
        startIndex: 0,
        sliceSize: 10,
        allowedStatuses: ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"],
        colParams: [{ metric: { group: "", tag: "eval/wer" } }],
      },
      "POST",
    );
    const byName = new Map(sessionGroups.map((group: { name: string }) => [group.name, group]));
    expect(byName.get("ab12cd34")).toMatchObject({
      hparams: {
        "optimizer.learning_rate": 0.0005,
        freeze_feature_encoder: true,
        "optimizer.betas": "[0.9,0.98]",
      },
      sessions: [{ name: FINE, status: "STATUS_SUCCESS" }],
      metricValues: expect.arrayContaining([
        expect.objectContaining({ name: expect.objectContaining({ tag: "eval/wer" }), trainingStep: 60 }),
      ]),
    });
    expect(byName.get("zz99zz99")).toMatchObject({
      hparams: { seed: 2 },
      sessions: [{ status: "STATUS_FAILURE" }],
    });
  });
});
