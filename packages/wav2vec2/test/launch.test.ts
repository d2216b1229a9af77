import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

// Real processes, really started, signalled and killed by the compiled program. They do what a table says
// (launch-program.mjs), or run a real command.

const program = fileURLToPath(new URL("../bin/wav2vec2.js", import.meta.url));
const fake = fileURLToPath(new URL("./launch-program.mjs", import.meta.url));

interface Launched {
  child: ChildProcess;
  ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
  logs: string;
}

let directory: string;
let count = 0;
const running = new Set<ChildProcess>();
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "launch-"));
});
afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function wav2vec2(args: readonly string[], env: Record<string, string | undefined> = {}): Launched {
  const logs = join(directory, `logs-${count++}`);
  const child = spawn(process.execPath, [program, "launch", "--log-dir", logs, ...args], {
    cwd: directory,
    env: { ...process.env, PET_RDZV_ID: "run", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream]!.on("data", (data) => {
      output[stream] += data;
    });
  const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  child.once("close", () => running.delete(child));
  return { child, logs, ended: ended.then((code) => ({ code, ...output })) };
}

/** Starts the fake program in two processes, or as `options` say. */
function start(
  table: Record<string, string>,
  options: string[] = [],
  env?: Record<string, string | undefined>,
): Launched {
  return wav2vec2(["--nproc-per-node", "2", ...options, "--program", fake, JSON.stringify(table)], env);
}

function log(logs: string, rank: number, stream = "stdout", attempt = 0): string {
  const path = join(logs, "run", `attempt_${attempt}`, String(rank), `${stream}.log`);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** Waits until a process has said something. */
async function heard(logs: string, rank: number, text: string, attempt = 0): Promise<void> {
  while (!log(logs, rank, "stdout", attempt).includes(text)) await sleep(20);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

const pidOf = (logs: string, rank: number): number => Number(/pid (\d+)/.exec(log(logs, rank))![1]);

describe("wav2vec2 launch", () => {
  it("gives each process torchrun's variables and its part of the cores", async () => {
    const { ended, logs } = start({ "*": "place" }, ["-r", "3", "--nproc_per_node", "3"], {
      OMP_NUM_THREADS: undefined,
    });
    expect(await ended).toEqual({ code: 0, stdout: "", stderr: "" });
    for (const rank of [0, 1, 2]) {
      const place = JSON.parse(log(logs, rank).split("\n")[2]!);
      expect(place).toEqual({
        RANK: String(rank),
        LOCAL_RANK: String(rank),
        GROUP_RANK: "0",
        ROLE_RANK: String(rank),
        ROLE_NAME: "default",
        WORLD_SIZE: "3",
        LOCAL_WORLD_SIZE: "3",
        GROUP_WORLD_SIZE: "1",
        ROLE_WORLD_SIZE: "3",
        MASTER_ADDR: "127.0.0.1",
        MASTER_PORT: expect.stringMatching(/^\d+$/),
        TORCHELASTIC_RESTART_COUNT: "0",
        TORCHELASTIC_MAX_RESTARTS: "0",
        TORCHELASTIC_RUN_ID: "run",
        TORCHELASTIC_USE_AGENT_STORE: "True",
        TORCHELASTIC_ERROR_FILE: join(logs, "run/attempt_0", String(rank), "error.json"),
        OMP_NUM_THREADS: expect.stringMatching(/^\d+$/),
      });
    }
    const mine = start({ "*": "place" }, ["-r", "3"], { OMP_NUM_THREADS: "7" });
    await mine.ended;
    expect(log(mine.logs, 1)).toContain('"OMP_NUM_THREADS":"7"');
  });

  it("shows process 0 and keeps the others' output, or shows all behind a prefix", async () => {
    const plain = start({ "*": "say hello" });
    const { stdout, stderr } = await plain.ended;
    expect([stdout.split("\n").slice(2).join("\n"), stderr]).toEqual(["hello\n", "hello on stderr\n"]);
    expect(log(plain.logs, 1)).toContain("hello\n");
    expect(log(plain.logs, 1, "stderr")).toBe("hello on stderr\n");
    const teed = start({ "*": "say hello" }, [
      "--tee",
      "3",
      "--log_line_prefix_template",
      "<$" + "{rank}/$" + "{local_rank}>",
    ]);
    const all = await teed.ended;
    expect(all.stderr.split("\n").sort()).toEqual(["", "<0/0>hello on stderr", "<1/1>hello on stderr"]);
    expect(log(teed.logs, 0)).toContain("hello\n");
    const some = start({ "*": "say hello" }, ["-t", "0:2,1:2", "--local-ranks-filter", "1"]);
    expect((await some.ended).stderr).toBe("[rank 1] hello on stderr\n");
  });

  it("ends all when one process fails, and shows the first error in time first", async () => {
    const { ended } = start({ 0: "fail-behind 1", 1: "fail", 2: "wait" }, ["--nproc-per-node", "3"]);
    const { code, stderr } = await ended;
    expect(code).toBe(1);
    expect(stderr.split("\n")).toEqual([
      expect.stringMatching(/^Rank 1 failed first \(\S+, [\d:]+ UTC\): it exited with 1\.$/),
      "    wrong,",
      "    because so",
      expect.stringMatching(/^Then rank 0 \(.*\) exited with 1: UserError: no answer$/),
      "The other process was ended.",
      expect.stringMatching(/^The output of every process/),
      "",
    ]);
  });

  it("shows the last lines of a process that says nothing in its error file", async () => {
    const { ended, logs } = start({ 1: "nonsense" });
    const { code, stderr } = await ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/Rank 1 failed first .*\n[\s\S]* {4}Error: unknown action nonsense/);
    expect(stderr).toContain(`The output of every process of this host is in ${logs}.`);
  });

  it("exits with a killed process's 137 and takes it for the cause, and kills who does not end", async () => {
    const { ended, logs } = start({ 0: "stubborn", 1: "wait" }, ["--shutdown-timeout", "0.5", "-r", "1"]);
    await Promise.all([heard(logs, 0, "started"), heard(logs, 1, "started")]);
    process.kill(pidOf(logs, 1), "SIGKILL");
    const { code, stderr } = await ended;
    expect(code).toBe(137);
    expect(stderr).toMatch(/^Rank 1 failed first .*: it was ended by SIGKILL/);
    expect(log(logs, 0)).toContain("got SIGTERM\n");
    expect(isRunning(pidOf(logs, 0))).toBe(false);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("passes %s on once and exits with %d", async (signal, code) => {
    const { ended, logs, child } = start({ "*": "wait" }, ["-r", "1"]);
    await Promise.all([heard(logs, 0, "started"), heard(logs, 1, "started")]);
    child.kill(signal);
    expect(await ended).toMatchObject({ code, stderr: "" });
    for (const rank of [0, 1]) expect(log(logs, rank)).toMatch(new RegExp(`started \\ngot ${signal}\\n$`));
  });

  it("takes a signal that npm repeats for one, and ends at once at a second one", async () => {
    const { ended, logs, child } = start({ "*": "stubborn" }, ["-r", "1"]);
    await Promise.all([heard(logs, 0, "started"), heard(logs, 1, "started")]);
    child.kill("SIGUSR1");
    await Promise.all([heard(logs, 0, "got SIGUSR1"), heard(logs, 1, "got SIGUSR1")]);
    child.kill("SIGINT");
    child.kill("SIGINT");
    await Promise.all([heard(logs, 0, "SIGINT"), heard(logs, 1, "SIGINT")]);
    child.kill("SIGTERM");
    expect((await ended).code).toBe(130);
    for (const rank of [0, 1]) expect(log(logs, rank)).toMatch(/got SIGUSR1 SIGINT\n$/);
  });

  it("lets the others end by themselves when one saved and ended because it was told to", async () => {
    const { ended, logs } = start({ "*": "wait" }, ["-r", "1", "--max-restarts", "3"]);
    await Promise.all([heard(logs, 0, "started"), heard(logs, 1, "started")]);
    process.kill(pidOf(logs, 0), "SIGTERM");
    process.kill(pidOf(logs, 1), "SIGTERM");
    expect(await ended).toMatchObject({ code: 143, stderr: "" });
    expect(log(logs, 1)).toMatch(/got SIGTERM\n$/);
  });

  it("leaves no process behind when it is killed itself", async () => {
    const { ended, logs, child } = start({ 0: "wait", 1: "stubborn" }, ["-r", "1"]);
    await Promise.all([heard(logs, 0, "started"), heard(logs, 1, "started")]);
    const pids = [pidOf(logs, 0), pidOf(logs, 1)];
    child.kill("SIGKILL");
    await ended;
    while (pids.some(isRunning)) await sleep(20);
    for (const rank of [0, 1]) expect(log(logs, rank)).toContain("got SIGTERM\n");
  });

  it("starts anew after a crash, with --resume for training, and not after a mistake", async () => {
    const died = start({ 1: "die SIGKILL|place" }, ["--max-restarts", "2"]);
    const { code, stderr } = await died.ended;
    expect(code).toBe(0);
    expect(stderr).toContain("Starting anew, 1 of at most 2 times.\n");
    expect(log(died.logs, 1, "stdout", 1)).toContain('"TORCHELASTIC_RESTART_COUNT":"1"');
    const often = start({ 1: "die SIGKILL" }, ["--max-restarts", "1"]);
    expect((await often.ended).code).toBe(137);
    expect(readdirSync(join(often.logs, "run")).sort()).toEqual(["attempt_0", "attempt_1"]);
    const mistaken = start({ 1: "exit 2" }, ["--max-restarts", "2"]);
    expect((await mistaken.ended).code).toBe(2);
    expect(readdirSync(join(mistaken.logs, "run"))).toEqual(["attempt_0"]);
  });

  it("runs a command of the program, and shows its error", async () => {
    const stats = wav2vec2(["--nproc-per-node", "2", "--", "data", "stats", join(directory, "none")]);
    const { code, stderr } = await stats.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/Rank [01] failed first .*: it exited with 1\.\n {4}\S+none must be a directory/);
    const usage = wav2vec2(["--nproc-per-node", "1", "data", "stats", "--no-such-option"]);
    expect(await usage.ended).toMatchObject({ code: 2, stderr: expect.stringContaining("unknown option") });
  });

  it("refuses what is not possible before it starts anything", async () => {
    await writeFile(join(directory, "fsdp.yaml"), "distributed_type: FSDP\nnum_processes: 8\n");
    for (const [args, message] of [
      [
        ["--config-file", "fsdp.yaml", "--", "doctor"],
        /fsdp\.yaml:1:1: distributed_type must be .* FSDP does not run here/,
      ],
      [["--no-python", "--", "doctor"], /--no-python has no meaning here\. There is no Python/],
      [
        ["--rdzv-backend", "etcd-v2", "--", "doctor"],
        /--rdzv-backend must be static or c10d, but is 'etcd-v2'/,
      ],
      [
        ["--nproc-per-node", "gpu", "--", "doctor"],
        /--nproc-per-node must be a number where there is no GPU/,
      ],
      [["--nproc-per-node", "2"], /The command must be given/],
    ] as const) {
      const { code, stderr } = await wav2vec2(args, { CUDA_VISIBLE_DEVICES: "" }).ended;
      expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
    }
  });
});
