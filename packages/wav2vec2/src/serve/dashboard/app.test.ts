import { appendFileSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import type { Hono } from "hono";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/fixtures/temporary-directory.js";
import { createApp } from "./app.js";
import { LiveRuns } from "./live-runs.js";
import type { RunOverview, RunSummary } from "./protocol.js";
import { RunsRoot } from "./runs-root.js";

let outside: string;
let root: string;
let app: Hono;
const HOST = { host: "localhost:6060" };

beforeEach(async () => {
  outside = await temporaryDirectory("dashboard");
  root = join(outside, "runs");
  mkdirSync(root);
  app = await appOf();
});

async function appOf(token?: string): Promise<Hono> {
  const html = new TextEncoder().encode("<p>page");
  const bytes = { br: html, gzip: html, identity: html };
  const page = new Map([["/index.html", { type: "text/html", etag: '"1"', isHashed: false, bytes }]]);
  return createApp({ live: new LiveRuns(await RunsRoot.at(root)), page, token, port: 6060 });
}

function writeRun(id: string, files: Record<string, string | object[]>): string {
  const directory = join(root, id);
  const all: typeof files = { "clips/empty": "", ...files };
  for (const [name, content] of Object.entries(all)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(
      join(directory, name),
      typeof content === "string" ? content : content.map((row) => `${JSON.stringify(row)}\n`).join(""),
    );
  }
  return directory;
}

const get = (path: string, headers: Record<string, string> = {}) =>
  app.request(path, { headers: { ...HOST, ...headers } });

async function json<T>(path: string): Promise<T> {
  const answer = await get(path);
  expect(answer.status, path).toBe(200);
  return (await answer.json()) as T;
}

async function list(): Promise<RunSummary[]> {
  return (await json<{ runs: RunSummary[] }>("/api/runs")).runs;
}

describe("the list of runs", () => {
  it("has each run below the directory with its newest values", async () => {
    writeRun("digits/seed-0", {
      "recipe.yaml": "task: finetune\nmax_steps: 100\n",
      "metrics.jsonl": [
        { step: 10, loss: 3 },
        { step: 20, loss: 2 },
        { step: 20, "eval/wer": 0.25 },
      ],
      "findings.jsonl": [{ step: 10, name: "a", text: "b" }],
    });
    writeRun("pretrained", {
      "run.json": JSON.stringify({ name: "mine", task: "pretrain", state: "interrupted", steps: 50 }),
      "recipe.yaml": "",
      "metrics.jsonl": [
        { step: 5, contrastive_loss: 4 },
        { step: 5, "eval/accuracy": 0.3 },
      ],
    });
    mkdirSync(join(root, "no-run/checkpoints"), { recursive: true });
    expect((await list()).sort((a, b) => a.id.localeCompare(b.id))).toEqual([
      {
        id: "digits/seed-0",
        name: "seed-0",
        state: "running",
        task: "finetune",
        step: 20,
        steps: 100,
        loss: 2,
        wer: 0.25,
        updated: expect.any(Number),
        findings: 1,
      },
      {
        id: "pretrained",
        name: "mine",
        state: "interrupted",
        task: "pretrain",
        step: 5,
        steps: 50,
        loss: 4,
        accuracy: 0.3,
        updated: expect.any(Number),
        findings: 0,
      },
    ]);
  });

  const lock = (pid: number, host = hostname()) => JSON.stringify({ pid, host, id: "x" });
  const old = { "metrics.jsonl": [{ step: 5, loss: 1 }], "recipe.yaml": "max_steps: 10\n" };
  const running = { ...old, "run.json": JSON.stringify({ state: "running", steps: 10 }) };
  it.each([
    ["its process lives", "running", { ...running, "run.lock": lock(process.pid) }],
    ["its process is gone", "stopped", { ...running, "run.lock": lock(2 ** 30) }],
    ["another machine touched its lock lately", "running", { ...running, "run.lock": lock(1, "elsewhere") }],
    ["it gave its lock back without a word", "stopped", running],
    [
      "it ended by itself, whoever has its lock",
      "finished",
      { ...old, "run.json": '{"state":"finished"}', "run.lock": lock(process.pid) },
    ],
    ["it is of an earlier version and has just written a line", "running", old],
    [
      "it is of an earlier version and did all its steps",
      "finished",
      { ...old, "metrics.jsonl": [{ step: 10 }] },
    ],
    [
      "it is of an earlier version and left its last model",
      "finished",
      { ...old, "final/config.json": "{}" },
    ],
  ])("says how a run is doing: %s", async (_, state, files) => {
    writeRun("one", files);
    expect((await list())[0]!.state).toBe(state);
  });

  it("says of an old run without a lock that it has stopped", async () => {
    const directory = writeRun("one", old);
    for (const name of Object.keys(old)) utimesSync(join(directory, name), 1e9, 1e9);
    expect((await list())[0]!.state).toBe("stopped");
  });

  it("follows what comes, changes and goes", async () => {
    const directory = writeRun("one", old);
    expect((await list()).map(({ step }) => step)).toEqual([5]);
    appendFileSync(join(directory, "metrics.jsonl"), '{"step":6,"loss":1}\n');
    writeRun("group/two", old);
    expect((await list()).map(({ id, step }) => `${id} ${step}`).sort()).toEqual(["group/two 5", "one 6"]);
    rmSync(directory, { recursive: true });
    expect((await list()).map(({ id }) => id)).toEqual(["group/two"]);
  });
});

describe("a run", () => {
  it("is told whole, with what is torn or of another shape left out", async () => {
    writeRun("one", {
      "metrics.jsonl":
        '{"step":1,"loss":2,"time":5}\n{"step":2,"lo\n{"step":3,"loss":NaN}\nnoise\n{"step":4,"loss":1',
      "transcripts.jsonl": [
        { step: 1, id: "a", reference: "A", hypothesis: "B" },
        { step: 3, id: "b", reference: "A", hypothesis: "B", audio: "clips/b.flac" },
        { step: 3, id: "c", reference: 5 },
      ],
      "system.jsonl": [
        { step: 1, time: 5, rank: 0, host: "h", cpu: 50 },
        { step: 1, time: 5, rank: 1, host: "h", cpu: 60 },
      ],
      "recipe.yaml": "seed: 1\noptimizer:\n  betas: [0.9, 0.98]\n",
      "histograms.jsonl": [{ step: 2, name: "weights/a", edges: [0, 1, 2], counts: [3, 4] }],
    });
    const overview = await json<RunOverview>("/api/run?run=one");
    expect(overview).toMatchObject({
      summary: { id: "one", step: 3 },
      metrics: { loss: { count: 2, gaps: 1, latest: 2 } },
      system: { cpu: { latest: 50 }, "cpu rank 1": { latest: 60 } },
      recipeValues: { seed: "1", "optimizer.betas": "[0.9,0.98]" },
      steps: { transcripts: [1, 3], codedClips: [] },
      histograms: ["weights/a"],
    });
    expect(overview.description).toBeUndefined();
    expect(await json("/api/transcripts?run=one&step=3")).toEqual([
      { id: "b", reference: "A", hypothesis: "B", audio: "clips/b.flac" },
    ]);
    expect(await json("/api/histograms?run=one&name=weights/a")).toEqual({
      steps: [2],
      histograms: [{ edges: [0, 1, 2], counts: [3, 4] }],
    });
    expect(await json("/api/curves?run=one&name=loss&name=none&x=step&columns=100")).toMatchObject({
      curves: { loss: { x: [1, 3], y: [2, null] } },
    });
    expect(await json("/api/curves?run=one&table=system&name=cpu+rank+1")).toMatchObject({
      curves: { "cpu rank 1": { y: [60] } },
    });
    expect(await json("/api/log?run=one")).toEqual({ text: "", cut: false });
  });

  it("gives codebooks of one shape and clips that can be drawn", async () => {
    const clip = {
      id: "a",
      seconds: 1,
      waveform: [[-1, 1]],
      masked: [[0, 1]],
      codes: [[1, 2]],
      found: [true],
    };
    writeRun("one", {
      "metrics.jsonl": [],
      "codebooks.jsonl": [
        { step: 1, counts: [[1, 2, 3]] },
        {
          step: 2,
          counts: [
            [1, 2],
            [3, 4],
          ],
        },
        {
          step: 3,
          counts: [
            [5, 6],
            [7, 8],
          ],
        },
        { step: 4, counts: "none" },
      ],
      "coded-clips.jsonl": [
        { step: 4, ...clip },
        { step: 4, ...clip, codes: [["<b>", 2]] },
      ],
    });
    expect(await json("/api/codebooks?run=one")).toEqual({
      steps: [2, 3],
      counts: [
        [
          [1, 2],
          [3, 4],
        ],
        [
          [5, 6],
          [7, 8],
        ],
      ],
    });
    expect(await json("/api/coded-clips?run=one&step=4")).toEqual([clip]);
  });

  it("that is gone, or never was, is not found", async () => {
    const directory = writeRun("one", { "metrics.jsonl": [{ step: 1 }] });
    expect((await get("/api/run?run=one")).status).toBe(200);
    rmSync(directory, { recursive: true });
    for (const path of [
      "run?run=one",
      "run?run=two",
      "run",
      "curves?run=two",
      "audio?run=two&clip=clips/a.flac",
    ])
      expect((await get(`/api/${path}`)).status, path).toBe(404);
  });

  it("gives its clips whole and in parts", async () => {
    const directory = writeRun("one", { "metrics.jsonl": [] });
    writeFileSync(join(directory, "clips/a b.flac"), "0123456789");
    const clip = (range?: string) => get("/api/audio?run=one&clip=clips/a%20b.flac", range ? { range } : {});
    const parts: [string | undefined, number, string | null, string][] = [
      [undefined, 200, null, "0123456789"],
      ["bytes=2-4", 206, "bytes 2-4/10", "234"],
      ["bytes=7-", 206, "bytes 7-9/10", "789"],
      ["bytes=-3", 206, "bytes 7-9/10", "789"],
      ["bytes=0-99", 206, "bytes 0-9/10", "0123456789"],
      ["bytes=10-", 416, "bytes */10", ""],
      ["bytes=0-1,4-5", 200, null, "0123456789"],
    ];
    for (const [range, status, content, text] of parts) {
      const answer = await clip(range);
      expect([answer.status, answer.headers.get("content-range"), await answer.text()], range).toEqual([
        status,
        content,
        text,
      ]);
    }
    expect((await clip()).headers.get("content-type")).toBe("audio/flac");
  });
});

describe("nothing outside of the runs directory", () => {
  beforeEach(() => {
    writeFileSync(join(outside, "secret.flac"), "secret");
    mkdirSync(join(outside, "elsewhere/clips"), { recursive: true });
    writeFileSync(join(outside, "elsewhere/metrics.jsonl"), '{"step":1,"secret":1}\n');
    writeFileSync(join(outside, "elsewhere/clips/a.flac"), "secret");
    const one = writeRun("one", { "metrics.jsonl": [{ step: 1, loss: 1 }] });
    symlinkSync(join(outside, "elsewhere"), join(root, "link"));
    symlinkSync(join(outside, "secret.flac"), join(one, "clips/link.flac"));
    symlinkSync(join(outside, "elsewhere/metrics.jsonl"), join(one, "system.jsonl"));
    symlinkSync(outside, join(one, "clips/up"));
  });

  it("is listed or read through links", async () => {
    expect((await list()).map(({ id }) => id)).toEqual(["one"]);
    expect((await json<RunOverview>("/api/run?run=one")).system).toEqual({});
  });

  it.each([
    "run=one&clip=../../../secret.flac",
    "run=one&clip=clips/../../../secret.flac",
    "run=one&clip=clips%2F..%2F..%2F..%2Fsecret.flac",
    "run=one&clip=clips/..%5C..%5Csecret.flac",
    "run=one&clip=clips/link.flac",
    "run=one&clip=clips/up/secret.flac",
    "run=one&clip=clips/a.flac%00.flac",
    "run=one&clip=/etc/passwd",
    "run=one&clip=metrics.jsonl",
    "run=link&clip=clips/a.flac",
    "run=../elsewhere&clip=clips/a.flac",
    "run=one/../../elsewhere&clip=clips/a.flac",
    "run=%2E%2E%2Felsewhere&clip=clips/a.flac",
    "run=/etc&clip=clips/a.flac",
    "run=one%00&clip=clips/a.flac",
    "run=&clip=clips/a.flac",
  ])("is heard: %s", async (query) => {
    const answer = await get(`/api/audio?${query}`);
    expect(answer.status).toBe(404);
    expect(await answer.text()).not.toContain("secret");
  });

  it.each([
    "/../secret.flac",
    "/%2e%2e/secret.flac",
    "/..%2fsecret.flac",
    "//etc/passwd",
    "/one/metrics.jsonl",
    "/index.html%00",
  ])("is a page: %s", async (path) => {
    expect((await get(path)).status).toBe(404);
  });
});

describe("who may look", () => {
  it("on this machine: who calls it by this machine's names, and no page of another site", async () => {
    for (const host of [
      "localhost",
      "localhost:7000",
      "127.0.0.1:6060",
      "[::1]:6060",
      "127.9.9.9",
      "x.localhost",
    ])
      expect((await get("/api/runs", { host })).status, host).toBe(200);
    for (const host of [
      "evil.example",
      "localhost.evil.example:6060",
      "127.0.0.1.evil.example",
      "192.168.1.5:6060",
      "",
    ])
      expect((await get("/api/runs", { host })).status, host).toBe(403);
    expect((await get("/", { host: "evil.example" })).status).toBe(403);
  });

  it("with a token: who has it, by whatever name", async () => {
    app = await appOf("correct-horse");
    const host = { host: "gpu1.lan:6060" };
    expect((await get("/", host)).status).toBe(200); // the empty page, which asks for it
    for (const path of ["runs", "run?run=one", "events?list", "audio?run=one&clip=clips/a.flac", "session"])
      expect((await get(`/api/${path}`, host)).status, path).toBe(401);
    for (const authorization of ["Bearer wrong", "Bearer correct-horse2", "Basic correct-horse"])
      expect((await get("/api/runs", { ...host, authorization })).status).toBe(401);
    expect((await get("/api/runs", { ...host, authorization: "Bearer correct-horse" })).status).toBe(200);

    const wrong = await get("/?token=wrong", host);
    expect([wrong.status, wrong.headers.get("set-cookie")]).toEqual([303, null]);
    const entered = await get("/?token=correct-horse", host);
    expect([entered.status, entered.headers.get("location")]).toEqual([303, "/"]);
    const cookie = entered.headers.get("set-cookie")!;
    expect(cookie).toMatch(/^wav2vec2-dashboard-6060=.*HttpOnly.*SameSite=Strict/);
    expect((await get("/api/runs", { ...host, cookie: cookie.split(";")[0]! })).status).toBe(200);

    const post = (token: unknown) =>
      app.request("/api/session", { method: "POST", headers: host, body: JSON.stringify({ token }) });
    expect((await post("correct-horse")).status).toBe(204);
    expect((await post("wrong")).status).toBe(401);
    expect((await post(5)).status).toBe(401);
  });

  it("gets no script, style or frame from elsewhere, whatever is answered", async () => {
    for (const path of ["/", "/nothing", "/api/runs", "/api/run?run=none"]) {
      const { headers } = await get(path);
      expect(headers.get("content-security-policy"), path).toMatch(
        /^default-src 'self';.*frame-ancestors 'none'/,
      );
      expect(headers.get("content-security-policy")).not.toContain("unsafe");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("access-control-allow-origin")).toBeNull();
    }
  });

  it("can change nothing", async () => {
    writeRun("one", { "metrics.jsonl": [] });
    for (const method of ["POST", "PUT", "DELETE", "PATCH"])
      for (const path of ["/api/runs", "/api/run?run=one", "/"])
        expect((await app.request(path, { method, headers: HOST })).status, `${method} ${path}`).toBe(404);
  });
});
