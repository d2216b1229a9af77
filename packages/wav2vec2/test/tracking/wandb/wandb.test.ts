import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { memorySource } from "../../../src/audio/sources/byte-source.js";
import { decodeWav } from "../../../src/audio/wav/wav.js";
import { Random } from "../../../src/data/random.js";
import { UserError } from "../../../src/errors.js";
import {
  describedRun,
  logEverything,
  type Process,
  processOf,
  runDirectory,
  startServer,
  wandbDirectories,
} from "./wandb-fixture.js";
import type { Trouble } from "./wandb-server.js";

/** What rows hold of media: which of these depends on the kind. */
interface MediaValue {
  path: string;
  size: number;
  width: number;
  height: number;
  filenames: string[];
  audio: { path: string; size: number }[];
}

const MEDIA = ["clips", "transcripts", "codebooks", "coded_clips", "findings"] as const;

const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/** Logs a loss for each of some steps. */
async function logSteps({ sink }: Process, steps: readonly number[]): Promise<void> {
  for (const step of steps) await sink.log({ loss: step / 10 }, step);
}

/** Waits until something is so, however slow the machine is. */
function soon(check: () => void): Promise<void> {
  return vi.waitFor(check, 60_000);
}

async function finish({ sink }: Process): Promise<void> {
  await sink.end({ state: "finished" });
  await sink.close();
}

const steps = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe("a run on a server", () => {
  it("gets all there is, each in the form that W&B shows", async () => {
    const { server, environment } = await startServer();
    const directory = await runDirectory();
    const one = processOf(directory, {
      environment,
      options: {
        logModel: "final",
        wandb: { project: "speech", group: "g", tags: ["t"], notes: "n", resume: "append" },
      },
    });
    await logEverything(one, directory);
    const { run } = server;
    expect(server.violations).toEqual([]);
    expect(run.key).toBe("team/speech/abcd1234");
    expect(one.notes).toEqual([`Weights & Biases shows the run at ${server.url}/team/speech/runs/abcd1234`]);

    expect(run.rows).toMatchObject([
      { _step: 10, "train/global_step": 10, loss: 1.5, rate: Number.NaN },
      { _step: 20, loss: Number.POSITIVE_INFINITY, rate: 0.25, "eval/wer": 0.5 },
      { _step: 30, "train/global_step": 30, loss: 0.5, rate: 0.125 },
    ]);
    expect(run.history[0]).toContain('"rate":NaN');
    const [, row] = run.rows;
    expect(row!["weights/head"]).toEqual({ _type: "histogram", bins: [0, 0.5, 1], values: [1, 2] });
    expect(JSON.parse(run.summary)).toMatchObject({
      loss: 0.5,
      "eval/wer": 0.5,
      "best/eval/wer": 0.5,
      "best/step": 20,
      _step: 30,
      _wandb: { runtime: expect.any(Number) as number },
    });
    expect(run.events.map((line) => JSON.parse(line))).toMatchObject([
      { "system.cpu": 50, "system.gpu.0.gpu": 90, _wandb: true },
    ]);
    expect(run.output).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]{15} 3 clips are left out\.$/),
        expect.stringContaining("step 20: validation WER 50.0 %"),
        expect.stringContaining("  hypothesis  ONE TOO"),
      ]),
    );
    expect(run.config).toMatchObject({
      learning_rate: { value: 0.1 },
      network: { value: { hidden_size: 8 } },
      _wandb: {
        value: {
          t: {},
          m: expect.arrayContaining([{ "1": "eval/wer", "5": 1, "6": [1, 3], "7": [] }]) as unknown,
        },
      },
    });
    expect(run.values).toMatchObject({
      displayName: "a run",
      groupName: "g",
      tags: ["t"],
      notes: "n",
      jobType: "pretrain",
      host: "host",
    });
    expect([run.complete, run.exitcode]).toEqual([true, 0]);

    // Media: each file that a row names is there and is what it says.
    const {
      clips,
      transcripts,
      codebooks,
      coded_clips: coded,
      findings,
    } = row as { [Name in (typeof MEDIA)[number]]: MediaValue };
    expect(clips).toMatchObject({ _type: "audio", count: 1, sampleRates: [16_000], durations: [0.1] });
    const wav = run.files.get(clips.audio[0]!.path)!;
    expect(wav).toHaveLength(clips.audio[0]!.size);
    expect((await decodeWav(memorySource(wav), "clip")).channelData[0]).toHaveLength(1600);
    expect(JSON.parse(run.files.get(transcripts.path)!.toString())).toEqual({
      columns: ["id", "reference", "hypothesis", "word errors", "words"],
      data: [["a", "ONE TWO", "ONE TOO", 1, 2]],
    });
    expect(JSON.parse(run.files.get(findings.path)!.toString()).data).toEqual([
      [20, "odd", "The loss is odd."],
    ]);
    for (const [path, { width, height }] of [
      [codebooks.path, codebooks],
      [coded.filenames[0]!, coded],
    ] as const) {
      const png = run.files.get(path)!;
      expect([png.toString("latin1", 1, 4), png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([
        "PNG",
        width,
        height,
      ]);
    }
    expect([...run.uploaded].sort()).toEqual([...run.files.keys()].sort());

    const [artifact] = server.artifacts.all;
    expect(artifact).toMatchObject({
      committed: true,
      input: { artifactTypeName: "model", artifactCollectionName: "model-abcd1234" },
      manifest: { version: 1, storagePolicy: "wandb-storage-policy-v1" },
    });
    expect([...artifact!.files.keys()].sort()).toEqual(["config.json", "model.safetensors", "report.html"]);
    expect(artifact!.files.get("model.safetensors")).toHaveLength(100_000);

    // The key is nowhere on disk.
    for (const path of filesBelow(directory)) expect(readFileSync(path, "latin1")).not.toContain(server.key);
  });

  it("gets the readings of other processes marked as theirs", async () => {
    const { server, environment } = await startServer();
    const directory = await runDirectory();
    const one = processOf(directory, { environment });
    await one.sink.begin(describedRun(directory, { processes: 3 }));
    const readings = ["host", "host", "other"].map((host, rank) => ({
      time: one.clock.now,
      rank,
      host,
      values: { cpu: rank, [`gpu.${rank % 2}.gpu`]: rank, swap: Number.NaN },
    }));
    await one.sink.system(readings, 10);
    await finish(one);
    const keys = server.run.events.map((line) =>
      Object.keys(JSON.parse(line)).filter((key) => key.startsWith("s")),
    );
    expect(keys).toEqual([
      ["system.cpu", "system.gpu.0.gpu"],
      ["system.cpu/l:rank1", "system.gpu.1.gpu"],
      ["system.cpu/l:rank2", "system.gpu.0.gpu/l:rank2"],
    ]);
  });

  it.each([
    ["interrupted", 255],
    ["failed", 1],
  ] as const)("that is %s ends with %d", async (state, code) => {
    const { server, environment } = await startServer();
    const directory = await runDirectory();
    const one = processOf(directory, { environment, options: { logModel: "final" } });
    await one.sink.begin(describedRun(directory));
    await one.sink.saved("final", join(directory, "final"), 1);
    await one.sink.end({ state, ...(state === "failed" && { reason: "out of memory" }) });
    await one.sink.close();
    await one.sink.close();
    expect(server.run.exitcode).toBe(code);
    expect(server.artifacts.all).toEqual([]);
    if (state === "failed") expect(server.run.output.at(-1)).toContain("Training failed: out of memory");
  });

  it("stops where somebody presses Stop in its page, and asks so once", async () => {
    const { server, environment } = await startServer();
    const directory = await runDirectory();
    const one = processOf(directory, { environment });
    await one.sink.begin(describedRun(directory));
    server.run.stopped = true;
    await logSteps(one, [1, 2]);
    await soon(() => expect(one.stops).toHaveLength(1));
    await finish(one);
    expect(one.stops).toEqual(["Somebody pressed Stop in the run's page of Weights & Biases."]);
  });

  it("says that it lives while nothing is logged", async () => {
    const { server, environment } = await startServer();
    const directory = await runDirectory();
    const one = processOf(directory, { environment });
    await one.sink.begin(describedRun(directory));
    const empty = () => server.requests.filter(({ body }) => JSON.stringify(body) === "{}");
    await soon(() => expect(empty().map(({ name }) => name)).toContain("file_stream"));
    await finish(one);
    expect(server.violations).toEqual([]);
  });

  it("sends rows in requests that the server takes, however long they are", async () => {
    const { server, environment } = await startServer();
    const directory = await runDirectory();
    const timing = { firstFlush: 20_000, flush: 20_000 };
    const one = processOf(directory, { environment, timing });
    await one.sink.begin(describedRun(directory));
    const long = { edges: steps(0, 512), counts: steps(1, 512) }; // 4 KB
    const many = Object.fromEntries(steps(1, 800).map((index) => [`weights/${index}`, long]));
    for (const step of [1, 2, 3, 4, 5]) await one.sink.histograms(many, step);
    await finish(one);
    expect(server.violations).toEqual([]);
    expect(server.run.rows.map(({ _step }) => _step)).toEqual([1, 2, 3, 4, 5]);
    expect(server.requests.filter(({ name }) => name === "file_stream").length).toBeGreaterThan(2);
  });
});

const TROUBLES: readonly Trouble[] = [
  429,
  500,
  409,
  502,
  "drop",
  "silent",
  "late drop",
  "late silent",
  "half",
];

describe("trouble on the way", () => {
  it.each([
    "Viewer",
    "UpsertBucket",
    "CreateRunFiles",
    "PUT",
    "CreateArtifact",
    "CommitArtifact",
    "file_stream",
  ])("of every kind in %s loses nothing and repeats nothing", async (name) => {
    const { server, environment } = await startServer();
    const directory = await runDirectory();
    // Longer than any answer takes: what is silent alone is not waited for.
    const timing = { request: 500 };
    const one = processOf(directory, { environment, options: { logModel: "final" }, timing });
    server.trouble(name, ...TROUBLES);
    await logEverything(one, directory);
    expect(server.calm).toBe(true);
    expect(server.violations).toEqual([]);
    expect(server.run.rows.map(({ _step }) => _step)).toEqual([10, 20, 30]);
    expect(server.run.events).toHaveLength(1);
    expect(new Set(server.run.output).size).toBe(server.run.output.length);
    expect([...server.run.files.keys()].sort()).toEqual([...new Set(server.run.uploaded)].sort());
    expect(server.run.files.size).toBe(8);
    expect(server.artifacts.all.map(({ committed, files }) => [committed, files.size])).toContainEqual([
      true,
      3,
    ]);
    expect([server.run.complete, server.run.exitcode]).toEqual([true, 0]);
    expect(one.notes.filter((note) => note.includes("does not get"))).toEqual([]);
  });

  it.each([1, 2, 3])("at random, seed %d, leaves every row once and in order", async (seed) => {
    const { server, environment } = await startServer();
    const directory = await runDirectory();
    const timing = { request: 250, firstFlush: 1, flush: 2 };
    const one = processOf(directory, { environment, timing });
    const random = new Random(seed);
    const kinds = Array.from({ length: 60 }, () => TROUBLES[random.integer(TROUBLES.length)]!);
    await one.sink.begin(describedRun(directory));
    server.trouble("file_stream", ...kinds);
    for (const step of steps(1, 300)) {
      await one.sink.log({ loss: step / 10 }, step);
      const values = { cpu: step };
      await one.sink.system([{ time: one.clock.now, rank: 0, host: "h", values }], step);
      if (step % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await soon(() => expect(server.calm).toBe(true));
    await finish(one);
    expect(server.violations).toEqual([]);
    expect(server.run.rows.map(({ loss }) => loss)).toEqual(steps(1, 300).map((step) => step / 10));
    expect(
      server.run.events.map((line) => (JSON.parse(line) as Record<string, number>)["system.cpu"]),
    ).toEqual(steps(1, 300));
    expect(JSON.parse(server.run.summary)).toMatchObject({ loss: 30, _step: 300 });
  });

  it("that lasts is said once", async () => {
    const { server, environment } = await startServer();
    const directory = await runDirectory();
    const one = processOf(directory, { environment });
    await one.sink.begin(describedRun(directory));
    server.trouble("file_stream", ...Array.from({ length: 9 }, () => 500));
    await logSteps(one, [1]);
    await soon(() => expect(server.calm).toBe(true));
    await finish(one);
    expect(one.notes.filter((note) => note.includes("status 500"))).toEqual([
      "Weights & Biases cannot be reached (status 500). It is asked again until it can; nothing is lost.",
    ]);
    expect(server.run.rows).toHaveLength(1);
  });
});

describe("a run that goes on", () => {
  /** The second of two processes, which begins at step 15 where the first one reached 20. */
  async function secondProcess(resume: "append" | "rewind", trouble?: Trouble) {
    const { server, environment } = await startServer();
    const directory = await runDirectory();
    const options = { wandb: { tags: ["first"], resume } };
    const one = processOf(directory, { environment, options });
    await one.sink.begin(describedRun(directory));
    await logSteps(one, [5, 10, 15, 20]);
    await one.sink.end({ state: "interrupted" });
    await one.sink.close();
    if (trouble) server.trouble("RewindRun", trouble);
    server.run.values.tags = ["first", "by hand"];
    const two = processOf(directory, { environment, options });
    await two.sink.begin(describedRun(directory, { resumed: true }));
    await two.sink.resumed({ step: 15, evaluated: 15 });
    await logSteps(two, [16, 18, 20, 22, 30]);
    await finish(two);
    expect(server.violations).toEqual([]);
    const rows = server.run.rows.map((row) => [row._step, row["train/global_step"]]);
    const runtimes = server.run.rows.map(({ _runtime }) => _runtime as number);
    expect([...runtimes].sort((a, b) => a - b)).toEqual(runtimes);
    return { server, rows, two };
  }

  it("appends, with steps that rise until training has caught up", async () => {
    const { server, rows } = await secondProcess("append");
    expect(rows).toEqual([
      [5, 5],
      [10, 10],
      [15, 15],
      [20, 20],
      [21, 16],
      [22, 18],
      [23, 20],
      [24, 22],
      [30, 30],
    ]);
    expect(server.run.values.tags).toEqual(["first", "by hand"]);
    expect([server.run.complete, server.run.exitcode]).toEqual([true, 0]);
  });

  it("cuts what is done anew with wandb.resume: rewind", async () => {
    const { rows } = await secondProcess("rewind");
    expect(rows).toEqual([
      [5, 5],
      [10, 10],
      [15, 15],
      [16, 16],
      [18, 18],
      [20, 20],
      [22, 22],
      [30, 30],
    ]);
  });

  it("appends where the server cannot rewind, and says so", async () => {
    const { rows, two } = await secondProcess("rewind", 400);
    expect(rows).toHaveLength(9);
    expect(two.notes).toContainEqual(
      expect.stringMatching(/keeps the steps behind 15, as it cannot rewind the run/),
    );
  });

  it("is another's with WANDB_RUN_ID, which is never written over", async () => {
    const { server, environment } = await startServer();
    const directory = await runDirectory();
    for (const id of ["x", "y"]) {
      const one = processOf(directory, { environment: { ...environment, WANDB_RUN_ID: "shared" } });
      await one.sink.begin(describedRun(directory, { id }));
      await logSteps(one, [1, 2]);
      await finish(one);
    }
    expect(server.violations).toEqual([]);
    expect(server.run.rows.map(({ _step }) => _step)).toEqual([1, 2, 3, 4]);
  });

  it.each([
    ["must", "must have a run"],
    ["never", "must have no run"],
  ])("is refused before training as WANDB_RESUME=%s says", async (resume, text) => {
    const { server, environment } = await startServer();
    const directory = await runDirectory();
    if (resume === "never") {
      const one = processOf(directory, { environment });
      await one.sink.begin(describedRun(directory));
      await finish(one);
    }
    const two = processOf(directory, { environment: { ...environment, WANDB_RESUME: resume } });
    await expect(two.sink.begin(describedRun(directory))).rejects.toThrow(text);
    expect(server.violations).toEqual([]);
  });
});

describe("before training", () => {
  it.each([401, 403])(
    "a key that the server refuses with %d ends the run and is not shown",
    async (status) => {
      const { server, environment } = await startServer();
      const directory = await runDirectory();
      if (status === 403) server.trouble("Viewer", 403);
      const key = status === 403 ? server.key : "wrong-key-123";
      const one = processOf(directory, { environment: { ...environment, WANDB_API_KEY: key } });
      const begun = one.sink.begin(describedRun(directory));
      await expect(begun).rejects.toThrow(
        /must be given a valid key.*wandb login.*WANDB_API_KEY.*WANDB_MODE=offline/,
      );
      await expect(begun).rejects.toThrow(UserError);
      await expect(begun).rejects.not.toThrow(key);
      expect(existsSync(join(directory, "wandb"))).toBe(false);
    },
  );

  it("no key ends a run whose recipe wants the service", async () => {
    const { environment } = await startServer();
    const directory = await runDirectory();
    const one = processOf(directory, { environment: { ...environment, WANDB_API_KEY: "" } });
    await expect(one.sink.begin(describedRun(directory))).rejects.toThrow(
      /no.* in WANDB_API_KEY or ~\/.netrc/,
    );
  });

  it("no key keeps a run offline where only the environment chose the service", async () => {
    const { server, environment } = await startServer();
    const directory = await runDirectory();
    const one = processOf(directory, {
      environment: { ...environment, WANDB_API_KEY: "" },
      options: { because: "WANDB_PROJECT" },
    });
    await one.sink.begin(describedRun(directory));
    await finish(one);
    expect(server.requests).toEqual([]);
    expect(one.notes[0]).toContain("there is no key");
    expect(await wandbDirectories(directory)).toEqual([expect.stringContaining("/offline-run-")]);
  });

  it("a refusal of the run ends it with the server's own words", async () => {
    const { server, environment } = await startServer();
    const directory = await runDirectory();
    server.trouble("UpsertBucket", 404);
    const one = processOf(directory, { environment });
    await expect(one.sink.begin(describedRun(directory))).rejects.toThrow(
      /refuses the run: status 404\. Check wandb\.entity/,
    );
  });
});

describe("a server that is away", () => {
  it("at the beginning leaves the run on this computer, which its next process sends", async () => {
    const { server, environment } = await startServer();
    const directory = await runDirectory();
    const { port } = server;
    await server.close();
    const one = processOf(directory, { environment, timing: { start: 100 } });
    await logEverything(one, directory);
    const [first] = await wandbDirectories(directory);
    expect(first).toContain("/offline-run-");
    expect(one.notes).toEqual([
      `Weights & Biases cannot be reached: connect ECONNREFUSED 127.0.0.1:${port}. What is logged is kept on this computer; upload it with: wandb sync ${first}`,
    ]);

    await server.listen(port);
    const two = processOf(directory, { environment });
    await two.sink.begin(describedRun(directory, { resumed: true }));
    await two.sink.resumed({ step: 20, evaluated: 20 });
    await logSteps(two, [25, 40]);
    await finish(two);
    expect(server.violations).toEqual([]);
    expect(server.run.rows.map(({ _step, "train/global_step": step }) => [_step, step])).toEqual([
      [10, 10],
      [20, 20],
      [30, 30],
      [31, 25],
      [40, 40],
    ]);
    expect(server.run.files.size).toBe(8);
    expect(JSON.parse(server.run.summary)).toMatchObject({ "best/eval/wer": 0.5, loss: 4 });
    expect(existsSync(join(first!, "run-abcd1234.wandb.synced"))).toBe(true);
  });

  it("at the end leaves the rest on this computer, which the next process sends", async () => {
    const { server, environment } = await startServer();
    const directory = await runDirectory();
    const { port } = server;
    const one = processOf(directory, { environment, timing: { end: 200 } });
    await one.sink.begin(describedRun(directory));
    await logSteps(one, steps(1, 10));
    await soon(() => expect(server.run.rows).toHaveLength(9));
    await server.close();
    await logSteps(one, steps(11, 20));
    await one.sink.transcripts([{ id: "a", reference: "A", hypothesis: "B" }], 20);
    await finish(one);
    const directories = await wandbDirectories(directory);
    const rest = directories.find((path) => path.includes("/offline-run-"))!;
    expect(one.notes.at(-1)).toBe(
      `What Weights & Biases did not get is in ${rest}; the run's next process sends it, or: wandb sync ${rest} (with wandb 0.31 or newer)`,
    );

    await server.listen(port);
    const two = processOf(directory, { environment });
    await two.sink.begin(describedRun(directory, { resumed: true }));
    await two.sink.resumed({ step: 20, evaluated: 20 });
    await logSteps(two, [21, 22]);
    await finish(two);
    expect(server.violations).toEqual([]);
    expect(server.run.rows.map(({ _step }) => _step)).toEqual(steps(1, 22));
    expect([...server.run.files.keys()].filter((path) => path.includes("transcripts"))).toHaveLength(1);
  });

  it("for good, as the run was deleted in its page, is said, and the rest is kept", async () => {
    const { server, environment } = await startServer();
    const directory = await runDirectory();
    const one = processOf(directory, { environment });
    await one.sink.begin(describedRun(directory));
    server.delete(server.run);
    await logSteps(one, [1, 2]);
    await soon(() => expect(one.notes.join()).toMatch(/run was deleted|not found/));
    await logSteps(one, [3, 4]);
    await finish(one);
    expect(one.notes.filter((note) => note.includes("does not get all of the run"))).toHaveLength(1);
    expect(one.notes.at(-1)).toContain("wandb sync");
  });

  it("is asked for nothing with WANDB_MODE=offline, over several processes in one directory", async () => {
    const { server, environment } = await startServer();
    const directory = await runDirectory();
    const offline = { ...environment, WANDB_MODE: "offline", WANDB_API_KEY: "" };
    for (const resumed of [false, true]) {
      const one = processOf(directory, { environment: offline });
      await one.sink.begin(describedRun(directory, { resumed }));
      await logSteps(one, resumed ? [2, 3] : [1, 2]);
      await finish(one);
    }
    const [only, ...others] = await wandbDirectories(directory);
    expect(others).toEqual([]);
    expect(server.requests).toEqual([]);
    rmSync(join(only!, "files"), { recursive: true });

    const online = processOf(directory, { environment });
    await online.sink.begin(describedRun(directory, { resumed: true }));
    await finish(online);
    expect(server.run.rows.map(({ _step, "train/global_step": step }) => [_step, step])).toEqual([
      [1, 1],
      [2, 2],
      [3, 2],
      [4, 3],
    ]);
  });
});
