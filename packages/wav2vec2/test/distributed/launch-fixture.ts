import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { textOf } from "../fixtures/text-of.js";

const program = fileURLToPath(new URL("../../bin/wav2vec2.js", import.meta.url));
const fake = fileURLToPath(new URL("./launch-program.mjs", import.meta.url));

export interface Launched {
  child: ChildProcess;
  ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
  /** Its --log-dir. */
  logs: string;
}

/** Launchers that really run, in a directory of their own. */
export class LaunchFixture {
  #count = 0;
  readonly #running = new Set<ChildProcess>();
  private constructor(readonly directory: string) {}

  static async make(): Promise<LaunchFixture> {
    return new LaunchFixture(await mkdtemp(join(tmpdir(), "launch-")));
  }

  async remove(): Promise<void> {
    this.killAll();
    await rm(this.directory, { recursive: true, force: true });
  }

  killAll(): void {
    for (const child of this.#running) child.kill("SIGKILL");
  }

  /** Runs `wav2vec2 launch`, behind another program such as `ip netns exec` where one is given. */
  wav2vec2(
    args: readonly string[],
    env: Record<string, string | undefined> = {},
    behind: readonly string[] = [],
  ): Launched {
    const logs = join(this.directory, `logs-${this.#count++}`);
    const [command, ...rest] = [...behind, process.execPath, program, "launch", "--log-dir", logs, ...args];
    const child = spawn(command!, rest, {
      cwd: this.directory,
      env: { ...process.env, PET_RDZV_ID: "run", ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // as a shell starts it: the leader of a group of processes
    });
    this.#running.add(child);
    const output = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const)
      child[stream]!.on("data", (data) => {
        output[stream] += data;
      });
    child.once("close", () => this.#running.delete(child));
    const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
    return { child, logs, ended: ended.then((code) => ({ code, ...output })) };
  }

  /** Starts launch-program.mjs, which does what a table says of each rank. */
  start(
    table: Record<string, string>,
    options: readonly string[] = [],
    env?: Record<string, string | undefined>,
    behind?: readonly string[],
    command: readonly string[] = [],
  ): Launched {
    return this.wav2vec2(
      ["--nproc-per-node", "2", ...options, "--program", fake, "--", ...command, JSON.stringify(table)],
      env,
      behind,
    );
  }
}

/** What a rank has said so far. */
export function log(logs: string, rank: number, stream = "stdout", attempt = 0): string {
  return textOf(join(logs, "run", `attempt_${attempt}`, String(rank), `${stream}.log`));
}

/** Waits until ranks have said something. */
export async function heard(
  logs: string,
  ranks: readonly number[],
  text: string,
  attempt = 0,
): Promise<void> {
  while (!ranks.every((rank) => log(logs, rank, "stdout", attempt).includes(text))) await sleep(20);
}

export function pidOf(logs: string, rank: number): number {
  return Number(/pid (\d+)/.exec(log(logs, rank))![1]);
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
