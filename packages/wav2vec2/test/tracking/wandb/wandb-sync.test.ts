import { execFile, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { temporaryDirectory } from "../../fixtures/temporary-directory.js";
import {
  describedRun,
  logEverything,
  processOf,
  runDirectory,
  startServer,
  wandbDirectories,
} from "./wandb-fixture.js";
import type { WandbServer } from "./wandb-server.js";
import type { ServerRun } from "./wandb-server-run.js";

// What is written down is uploaded by W&B's own `wandb sync`, of the newest version and one of about a year before: Pythons
// that have them, named by TRACKERS_PYTHON and TRACKERS_PYTHON_OLD.

const PROCESS = fileURLToPath(new URL("wandb-process.mjs", import.meta.url));

function versionOf(python: string | undefined): string | undefined {
  try {
    return execFileSync(python!, ["-c", "import wandb; print(wandb.__version__)"], {
      stdio: ["ignore", "pipe", "ignore"],
    })
      .toString()
      .trim();
  } catch {
    return undefined;
  }
}

const pythons = ["TRACKERS_PYTHON", "TRACKERS_PYTHON_OLD"].map((variable) => {
  const python = process.env[variable];
  return { variable, python: python ?? "", version: versionOf(python) };
});

/** Uploads a run directory as its message says. @returns what the command printed */
async function sync(python: string, directory: string, server: WandbServer): Promise<string> {
  const home = await temporaryDirectory("wandb-home");
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    WANDB_BASE_URL: server.url,
    WANDB_API_KEY: server.key,
    WANDB_ERROR_REPORTING: "false",
  };
  const { stdout, stderr } = await promisify(execFile)(python, ["-m", "wandb", "sync", directory], {
    cwd: home,
    env,
  });
  return stdout + stderr;
}

/** What a server has of a run, without what differs by who sent it. */
function comparable(run: ServerRun, server: WandbServer) {
  const { _wandb: wandb, ...config } = run.config;
  const { m } = (wandb as { value: { m: Readonly<Record<string, unknown>>[] } }).value;
  const own = ["config.yaml", "output.log", "wandb-summary.json", "wandb-metadata.json"];
  return {
    key: run.key,
    rows: run.rows,
    events: run.events.map((line) => JSON.parse(line) as unknown),
    summary: JSON.parse(run.summary) as Record<string, unknown>,
    output: run.output.map((line) => line.trimEnd().replace(/^\S+ /, "")),
    config: Object.fromEntries(
      Object.entries(config as Record<string, { value: unknown }>).map(([key, { value }]) => [key, value]),
    ),
    m: m
      .map((metric) => described(metric, m))
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    media: [...run.files]
      .filter(([path]) => !own.includes(path))
      .map(contentOf)
      .sort(),
    uploaded: run.uploaded.filter((path) => path.startsWith("media/")).sort(),
    values: [
      run.values.displayName,
      run.values.groupName,
      run.values.jobType,
      run.values.tags,
      run.values.notes,
    ],
    end: [run.complete, run.exitcode],
    artifacts: server.artifacts.all.map(({ input, committed, files }) => [
      input.digest,
      committed,
      [...files].map(contentOf).sort(),
    ]),
  };
}

/** A metric with the name of its step metric: a number of the list, whose order is another each time in W&B's client. */
function described(
  { "7": _, "5": step, ...metric }: Readonly<Record<string, unknown>>,
  all: readonly Readonly<Record<string, unknown>>[],
) {
  return step === undefined ? metric : { ...metric, "5": all[(step as number) - 1]!["1"] };
}

function contentOf([path, bytes]: [string, Buffer]): string {
  return `${path} ${createHash("sha256").update(bytes).digest("hex")}`;
}

describe.each(pythons)("wandb sync of $version ($variable)", ({ python, version }) => {
  const isNew = Number(version?.split(".")[1]) >= 31;

  it.skipIf(!version)("uploads what was logged offline as if it had been logged online", async () => {
    const directory = await runDirectory();
    const options = {
      logModel: "final" as const,
      wandb: { project: "speech", group: "g", tags: ["t"], notes: "n", resume: "append" as const },
    };
    const offline = processOf(directory, { environment: { WANDB_MODE: "offline" }, options });
    await logEverything(offline, directory);
    const online = await startServer();
    const other = await runDirectory();
    await logEverything(processOf(other, { environment: online.environment, options }), other);
    const [path] = await wandbDirectories(directory);
    expect(offline.notes).toEqual([`Weights & Biases: upload the run with: wandb sync ${path}`]);

    const { server } = await startServer();
    const said = await sync(python, path!, server);
    if (process.env.SHOW_DIFFERENCES) console.log(said);
    // The older client says of an artifact's files too that they are uploaded.
    expect(
      server.violations.filter(
        (text) => !/^(config\.json|model\.safetensors|report\.html) is said/.test(text),
      ),
    ).toEqual([]);
    const [synced, sent] = [comparable(server.run, server), comparable(online.server.run, online.server)];
    if (!isNew) {
      // Of what newer clients send, the older one leaves out two things, and puts an empty line behind each of the log.
      sent.m = sent.m.filter((metric) => metric["1"] !== undefined);
      delete sent.summary._wandb;
      synced.output = synced.output.filter((line) => line !== "");
    }
    expect(synced).toEqual(sent);
  });

  it.skipIf(!version)(
    "uploads the whole records of a process that was killed, and of the next one",
    async () => {
      const directory = await temporaryDirectory("wandb-killed");
      const child = spawn(process.execPath, [PROCESS, directory], {
        env: { PATH: process.env.PATH, WANDB_MODE: "offline" },
        stdio: ["ignore", "pipe", "inherit"],
      });
      let said = "";
      child.stdout.on("data", (text: Buffer) => {
        said += text;
      });
      await vi.waitFor(() => expect(said.split("\n").length).toBeGreaterThan(200), 60_000);
      child.kill("SIGKILL");
      await once(child, "close");
      const logged = said.split("\n").length - 1;
      const [path] = await wandbDirectories(directory);
      const log = join(path!, "run-abcd1234.wandb");
      truncateSync(log, statSync(log).size - 3); // a power cut tears more
      const first = await startServer();
      await sync(python, path!, first.server);
      expect(first.server.violations).toEqual([]);
      const { rows } = first.server.run;
      expect(rows.map(({ _step }) => _step)).toEqual(rows.map((_, index) => index + 1));
      expect(logged - rows.length).toBeLessThanOrEqual(2); // the last step's row is not complete before the next begins
      // What became of it nobody knows: newer clients take it for failed.
      expect([first.server.run.complete, first.server.run.exitcode]).toEqual([true, isNew ? 1 : 0]);

      const two = processOf(directory, { environment: { WANDB_MODE: "offline" } });
      // As the upload marked the directory, this is to go on in it only where it did not.
      execFileSync("rm", ["-f", `${log}.synced`, `${log}.syncstate`]);
      await two.sink.begin(describedRun(directory, { resumed: true }));
      await two.sink.log({ loss: 0 }, 100);
      await two.sink.log({ loss: 0 }, 10_000);
      await two.sink.end({ state: "finished" });
      await two.sink.close();
      expect(await wandbDirectories(directory)).toEqual([path]);
      const { server } = await startServer();
      await sync(python, path!, server);
      expect(server.violations).toEqual([]);
      const steps = server.run.rows.map(({ _step, "train/global_step": step }) => [_step, step]);
      expect(steps.slice(-2)).toEqual([
        [rows.length + 1, 100],
        [10_000, 10_000],
      ]);
      expect([server.run.complete, server.run.exitcode]).toEqual([true, 0]);
    },
  );

  it.skipIf(!version || !isNew)("appends what a server that went away did not get", async () => {
    const { server, environment } = await startServer();
    const { port } = server;
    const directory = await runDirectory();
    const one = processOf(directory, { environment, timing: { end: 200 } });
    await one.sink.begin(describedRun(directory));
    for (const step of [1, 2, 3]) await one.sink.log({ loss: step }, step);
    await vi.waitFor(() => expect(server.run.rows).toHaveLength(2), 60_000);
    await server.close();
    for (const step of [4, 5, 6]) await one.sink.log({ loss: step }, step);
    await one.sink.end({ state: "finished" });
    await one.sink.close();
    const rest = (await wandbDirectories(directory)).find((path) => path.includes("/offline-run-"))!;
    await server.listen(port);
    await sync(python, rest, server);
    expect(server.violations).toEqual([]);
    expect(server.run.rows.map(({ _step, loss }) => [_step, loss])).toEqual(
      [1, 2, 3, 4, 5, 6].map((step) => [step, step]),
    );
    expect([server.run.complete, server.run.exitcode]).toEqual([true, 0]);
  });
});
