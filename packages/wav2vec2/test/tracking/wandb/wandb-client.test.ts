import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { configOf } from "../../../src/tracking/sinks/wandb/description.js";
import {
  describedRun,
  logEverything,
  processOf,
  runDirectory,
  startServer,
  wandbDirectories,
} from "./wandb-fixture.js";
import type { WandbRequest, WandbServer } from "./wandb-server.js";
import { parseExtended } from "./wandb-server-run.js";

// W&B's own client logs the same run (reference/wandb_run.py) to another server of the same kind, and what the two servers
// were asked is compared, request by request. Each difference is explained in docs/tracking.md.

const SCRIPT = fileURLToPath(new URL("../../../../../reference/wandb_run.py", import.meta.url));
const python = process.env.TRACKERS_PYTHON;

function hasClient(): boolean {
  try {
    execFileSync(python!, ["-c", "import wandb, PIL, soundfile"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

type Json = Record<string, unknown>;
type Difference = readonly [request: string, what: string, theirs: string, ours: string];

/** What differs between two objects, by paths. */
function differences(request: string, theirs: unknown, ours: unknown, path = ""): Difference[] {
  const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null;
  if (isObject(theirs) && isObject(ours) && Array.isArray(theirs) === Array.isArray(ours)) {
    const names = [...new Set([...Object.keys(theirs), ...Object.keys(ours)])].sort();
    return names.flatMap((name) =>
      differences(request, theirs[name], ours[name], path ? `${path}.${name}` : name),
    );
  }
  const [a, b] = [theirs ?? null, ours ?? null].map((value) => shown(value));
  return a === b ? [] : [[request, path, a!, b!]];
}

/** Values that differ from run to run, by their kind. */
function shown(value: unknown): string {
  if (value === null) return "—";
  if (Number.isNaN(value)) return "NaN";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 37)}…` : text;
}

/** All requests of a run as one object a kind: lines are joined, as how they are cut depends on the clock. */
function requestsOf(server: WandbServer): Record<string, unknown> {
  const { run } = server;
  const named = (name: string): Json[] =>
    server.requests.filter((one) => one.name === name).map(({ body }) => body);
  const config = ({ config: text }: Json): Json => JSON.parse(text as string) as Json;
  const upserts = named("UpsertBucket");
  const [first] = upserts;
  const streams = server.requests.filter(({ name }) => name === "file_stream");
  const model = server.artifacts.all.find(({ input }) => input.artifactTypeName === "model")!;
  const withoutClock = ({ _timestamp: _, _runtime: __, ...row }: Json): Json => row;
  return {
    operations: Object.fromEntries(
      [...new Set(server.requests.map(({ name }) => name))].map((name) => [name, "sent"]),
    ),
    headers: headersOf(streams[0]!),
    "headers of PUT": headersOf(server.requests.find(({ path }) => path.endsWith(".wav"))!),
    "UpsertBucket, the first": { ...first, config: config(first!) },
    "UpsertBucket, the last": config(upserts.at(-1)!),
    "file_stream: bodies": Object.fromEntries(
      streams.flatMap(({ body }) => Object.keys(body).map((key) => [key, "sent"])),
    ),
    "file_stream: files": Object.fromEntries(
      streams.flatMap(({ body }) => Object.keys((body.files ?? {}) as object).map((key) => [key, "sent"])),
    ),
    "file_stream: history": run.rows.map(withoutClock),
    "file_stream: history, raw": run.history[0]!.match(/"(loss|rate)":[^,}]+/g)!.sort(),
    "file_stream: events": Object.keys(JSON.parse(run.events[0]!) as Json)
      .filter((key) => key.startsWith("_"))
      .sort(),
    "file_stream: summary": withoutClock(parseExtended(run.summary)),
    "file_stream: end": { complete: run.complete, exitcode: run.exitcode },
    "file_stream: uploaded": Object.fromEntries(run.uploaded.map((path) => [path, "sent"])),
    CreateRunFiles: Object.fromEntries(
      named("CreateRunFiles").flatMap(({ files }) => (files as string[]).map((path) => [path, "sent"])),
    ),
    CreateArtifact: {
      ...model.input,
      aliases: (model.input.aliases as Json[]).map(({ alias }) => alias).sort(),
    },
    "the artifact's manifest": model.manifest,
    "the artifact's files": Object.fromEntries([...model.files].map(([name, bytes]) => [name, bytes.length])),
  };
}

function headersOf({ headers }: WandbRequest): Json {
  const { host: _, "content-length": __, ...others } = headers;
  return others;
}

/** What may differ: in which requests, at which places, and why. The same table stands in docs/tracking.md. */
const EXPECTED: readonly (readonly [request: RegExp, what: RegExp, why: string])[] = [
  [
    /^operations$/,
    /^(ServerFeaturesQuery|OrganizationCoreWeaveOrganizationID)$/,
    "Asks for features that are not used here",
  ],
  [/^operations$/, /^ArtifactType$/, "Asks whether an artifact of the name has another type"],
  [
    /^headers/,
    /^(accept.*|connection|sec-fetch-mode|user-agent)$/,
    "Of another HTTP library; the program names itself",
  ],
  [
    /^UpsertBucket/,
    /_wandb\.value\.(cli_version|python_version|t\.\d+)$/,
    "Telemetry of W&B's program; of `t`, the platform alone is told",
  ],
  [
    /^UpsertBucket/,
    /_wandb\.value\.m\.\d+$/,
    "Metrics are also told one by one, as older clients did, since older servers know no `*`",
  ],
  [
    /^UpsertBucket/,
    /_wandb\.value\.e(\..*)?$/,
    "The machine, under a random name; here at once, there a moment later",
  ],
  [/^UpsertBucket/, /^(host|program)$/, "The program and the machine's name"],
  [
    /^file_stream: files$/,
    /^output\.log$/,
    "The lines that people see; a script's own output is off in the comparison",
  ],
  [
    /^file_stream: (history|summary)$/,
    /clips\.durations\.\d+$/,
    "Durations are told; W&B's client knows them of raw samples only",
  ],
  [
    /^file_stream: (history|summary)$/,
    /_path$/,
    "A table is a file, not an artifact as well: it holds text alone",
  ],
  [/^(file_stream: .*|CreateRunFiles)$/, /findings/, "Findings, which W&B's client does not have"],
  [/^file_stream: summary$/, /^best\//, "The best validation, beside the last"],
  [/^file_stream: summary$/, /^_wandb\.runtime$/, "The clock"],
  [/^(file_stream: uploaded|CreateRunFiles)$/, /^requirements\.txt$/, "Python's packages"],
  [/^CreateArtifact$/, /lientID$/, "Random"],
  [/^CreateArtifact$/, /^historyStep$/, "The step is in the artifact's metadata"],
  [/^the artifact's manifest$/, /\.(local_path|skip_cache)$/, "Where W&B's client keeps its copy"],
  [/^the artifact's manifest$/, /\.birthArtifactID$/, "The server's own name of the artifact"],
];

function compare(theirs: WandbServer, ours: WandbServer): Difference[] {
  const [a, b] = [requestsOf(theirs), requestsOf(ours)];
  return Object.keys(a).flatMap((request) => differences(request, a[request], b[request]));
}

/** The first difference that each entry of {@link EXPECTED} explains, and those that none does. */
function explained(found: readonly Difference[]) {
  const reasonOf = ([request, what]: Difference): string | undefined =>
    EXPECTED.find(([requests, places]) => requests.test(request) && places.test(what))?.[2];
  const rows = EXPECTED.map(([, , why]) => {
    const all = found.filter((one) => reasonOf(one) === why);
    const [request = "", what = "", theirs = "", ours = ""] = all[0] ?? [];
    return { why, differences: all.length, request, "such as": what, theirs, ours };
  });
  return { rows, unexplained: found.filter((one) => reasonOf(one) === undefined) };
}

describe.skipIf(!hasClient())(
  "W&B's own client (TRACKERS_PYTHON names a Python with wandb, pillow and soundfile)",
  () => {
    const options = {
      logModel: "final" as const,
      wandb: {
        project: "speech",
        entity: "team",
        tags: ["tag"],
        notes: "notes",
        group: "group",
        resume: "append" as const,
      },
    };

    /** A server that this project's sink has logged a run to, and another one that W&B's client has. */
    async function both() {
      const [ours, theirs] = [await startServer(), await startServer()];
      const directory = await runDirectory();
      await logEverything(processOf(directory, { environment: ours.environment, options }), directory);
      const [path] = await wandbDirectories(directory);
      for (const name of readdirSync(join(path!, "files/media/images")))
        copyFileSync(
          join(path!, "files/media/images", name),
          join(directory, `${name.replace(/_\d.*/, "")}.png`),
        );
      writeFileSync(join(directory, "config.json"), JSON.stringify(configOf(describedRun(directory))));
      const python = (kind: string) => runClient(directory, kind, theirs.environment);
      await python("first");
      return { ours, theirs, directory, python };
    }

    async function runClient(directory: string, kind: string, environment: NodeJS.ProcessEnv): Promise<void> {
      const env = { PATH: process.env.PATH, HOME: directory, WANDB_ERROR_REPORTING: "false", ...environment };
      await promisify(execFile)(python!, [SCRIPT, directory, kind], { env });
    }

    it("asks the same of a server, but for what docs/tracking.md explains", async () => {
      const { ours, theirs } = await both();
      expect(ours.server.violations).toEqual([]);
      expect(theirs.server.violations).toEqual([]);
      const { rows, unexplained } = explained(compare(theirs.server, ours.server));
      if (process.env.SHOW_DIFFERENCES) console.table(rows);
      expect(unexplained).toEqual([]);
      expect(rows.filter(({ differences }) => differences === 0)).toEqual([]);
      const docs = readFileSync(new URL("../../../../../docs/tracking.md", import.meta.url), "utf8");
      for (const { why } of rows) expect(docs).toContain(why);
    });

    it.each(["resumed", "rewound"])("goes on in the same way with a run that is %s", async (kind) => {
      const { ours, theirs, directory, python } = await both();
      const isRewound = kind === "rewound";
      const wandb = { ...options.wandb, resume: isRewound ? ("rewind" as const) : ("append" as const) };
      const two = processOf(directory, { environment: ours.environment, options: { wandb } });
      await two.sink.begin(describedRun(directory, { resumed: true }));
      await two.sink.resumed({ step: 20, evaluated: 20 });
      await two.sink.log({ loss: 0.75 }, 25);
      await two.sink.end({ state: "finished" });
      await two.sink.close();
      await python(kind);
      expect(ours.server.violations).toEqual([]);
      expect(theirs.server.violations).toEqual([]);
      const [a, b] = [theirs.server, ours.server].map(({ run, requests }) => {
        const offsets = requests
          .filter(({ name }) => name === "file_stream")
          .flatMap(({ body }) => Object.entries((body.files ?? {}) as Record<string, { offset: number }>));
        return {
          steps: run.rows.map((row) => [row._step, row["train/global_step"], row.loss]),
          asked: requests
            .filter(({ name }) => /^(RunResumeStatus|RewindRun)$/.test(name))
            .map(({ name, body }) => [name, body]),
          offset: offsets.filter(([name]) => name === "wandb-history.jsonl").at(-1)?.[1].offset,
          id: run.upserts.filter(({ displayName }) => displayName).at(-1)!.id,
        };
      });
      // Where a run is cut, it is looked at first here, as where it is resumed.
      if (isRewound) b!.asked.shift();
      expect(b).toEqual(a);
    });
  },
);
