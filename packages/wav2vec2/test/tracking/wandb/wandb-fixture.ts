import { mkdirSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { encodeWav } from "../../../src/audio/wav/wav.js";
import type { RunDescription } from "../../../src/tracking/run-description.js";
import { DEFAULT_SERVICE_OPTIONS, type ServiceSinkOptions } from "../../../src/tracking/service-thread.js";
import type { Timing } from "../../../src/tracking/sinks/wandb/api.js";
import { wandbSink } from "../../../src/tracking/sinks/wandb/wandb.js";
import type { Sink } from "../../../src/tracking/tracker.js";
import { temporaryDirectory } from "../../fixtures/temporary-directory.js";
import { WandbServer } from "./wandb-server.js";

/** What is waited for on purpose in a hundredth of its time; what a slow machine needs in all of it. */
export const FAST: Timing = {
  start: 20_000,
  end: 20_000,
  request: 10_000,
  delay: 5,
  mostDelay: 20,
  flush: 10,
  firstFlush: 5,
  heartbeat: 200,
};

type AnySink = { [Name in keyof Sink]-?: (...values: Parameters<NonNullable<Sink[Name]>>) => Promise<void> };

/** A process of a run that is logged with this project's sink. */
export interface Process {
  /** What the sink said. */
  notes: string[];
  /** Why it asked to stop. */
  stops: string[];
  sink: AnySink;
  /** Seconds that pass with each thing logged. */
  clock: { now: number };
}

export interface ProcessOptions {
  environment?: NodeJS.ProcessEnv;
  run?: Partial<RunDescription>;
  options?: Partial<ServiceSinkOptions>;
  timing?: Partial<Timing>;
}

/** A process of a run whose directory is `directory`. */
export function processOf(
  directory: string,
  { environment = {}, options = {}, timing }: ProcessOptions = {},
): Process {
  const notes: string[] = [];
  const stops: string[] = [];
  const clock = { now: Date.UTC(2026, 0, 2, 3, 4, 5) };
  const sink = wandbSink(
    {
      now: () => clock.now,
      working() {},
      note: (text) => void notes.push(text),
      stop: (reason) => void stops.push(reason),
    },
    { ...DEFAULT_SERVICE_OPTIONS, directory, because: "recipe", ...options },
    {
      environment: { NETRC: "/none", WANDB_CONFIG_DIR: "/none", ...environment },
      timing: { ...FAST, ...timing },
    },
  );
  const calls = new Proxy(sink as AnySink, {
    get:
      (_, name: keyof AnySink) =>
      async (...values: unknown[]) => {
        clock.now += 1000;
        await (sink[name] as ((...values: unknown[]) => unknown) | undefined)?.(...values);
      },
  });
  return { notes, stops, sink: calls, clock };
}

export function describedRun(directory: string, changes: Partial<RunDescription> = {}): RunDescription {
  return {
    name: "a run",
    id: "abcd1234",
    directory,
    task: "pretrain",
    recipe: { max_steps: 30, learning_rate: 0.1, task: "pretrain" },
    config: { hidden_size: 8 },
    parameters: { all: 10, trained: 8 },
    processes: 1,
    host: "host",
    device: "cpu",
    command: ["wav2vec2", "pretrain"],
    versions: { wav2vec2: "0.1.0", libtorch: "2.9.0", node: "20.0.0" },
    began: Date.UTC(2026, 0, 2, 3, 4, 5),
    resumed: false,
    ...changes,
  };
}

/** A server that is gone when the test ends, and the environment that leads to it. */
export async function startServer(): Promise<{ server: WandbServer; environment: NodeJS.ProcessEnv }> {
  const server = await WandbServer.start();
  onTestFinished(() => server.close());
  return { server, environment: { WANDB_BASE_URL: server.url, WANDB_API_KEY: server.key } };
}

/** A run directory with a clip, a model and a report. */
export async function runDirectory(): Promise<string> {
  const directory = await temporaryDirectory("wandb");
  writeFileSync(join(directory, "clip.wav"), encodeWav(new Float32Array(1600), 16_000));
  mkdirSync(join(directory, "final"));
  writeFileSync(join(directory, "final", "config.json"), "{}");
  writeFileSync(join(directory, "final", "model.safetensors"), Buffer.alloc(100_000, "x"));
  writeFileSync(join(directory, "report.html"), "<p>report</p>");
  return directory;
}

/** The directories that processes of a run wrote, oldest first. */
export async function wandbDirectories(directory: string): Promise<string[]> {
  const names = await readdir(join(directory, "wandb"));
  return names.sort().map((name) => join(directory, "wandb", name));
}

/** Logs all that a sink can be told, over 30 steps. */
export async function logEverything({ sink }: Process, directory: string): Promise<void> {
  await sink.planned(30);
  await sink.note("3 clips are left out.");
  await sink.begin(describedRun(directory));
  await sink.log({ loss: 1.5, rate: Number.NaN }, 10);
  await sink.system(
    [{ time: Date.UTC(2026, 0, 2, 3, 4, 10), rank: 0, host: "host", values: { cpu: 50, "gpu.0.gpu": 90 } }],
    10,
  );
  await sink.log({ loss: Number.POSITIVE_INFINITY, rate: 0.25 }, 20);
  await sink.log({ "eval/wer": 0.5 }, 20);
  const clip = { path: join(directory, "clip.wav") };
  await sink.transcripts([{ id: "a", reference: "ONE TWO", hypothesis: "ONE TOO", ...clip }], 20);
  await sink.codebooks(
    [
      [1, 0, 3],
      [2, 2, 0],
    ],
    20,
  );
  await sink.codedClips([codedClip(clip.path)], 20);
  await sink.histograms({ "weights/head": { edges: [0, 0.5, 1], counts: [1, 2] } }, 20);
  await sink.saved("best", join(directory, "final"), 20);
  await sink.note("The loss is odd.", { step: 20, name: "odd" });
  await sink.log({ loss: 0.5, rate: 0.125 }, 30);
  await sink.saved("final", join(directory, "final"), 30);
  await sink.end({ state: "finished" });
  await sink.close();
}

function codedClip(path: string) {
  return {
    id: "a",
    path,
    seconds: 0.1,
    waveform: [[-0.5, 0.25]] as [number, number][],
    masked: [[1, 2]] as [number, number][],
    codes: [
      [2, 1],
      [0, 2],
    ],
    found: [false, true],
  };
}
