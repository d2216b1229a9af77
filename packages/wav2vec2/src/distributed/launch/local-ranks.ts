import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { closeSync, openSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../errors.js";
import { exitCodes, signalExitCode } from "../../exit-codes.js";
import { reasonOf } from "../../files/atomic/atomic-file.js";
import { makeDirectory } from "../../files/make-directory.js";
import { readErrorFile } from "./error-file.js";
import { PARENT_PIPE } from "./parent-watch.js";
import type { LogPlan } from "./plan/launch-plan.js";
import { lastLines, tee } from "./rank-output.js";

/** What to start on this host. */
export interface LocalRanks {
  /** The program and its arguments. */
  program: readonly string[];
  env: NodeJS.ProcessEnv;
  /** For each local rank, its rank and the variables of its place. */
  places: readonly { rank: number; env: Readonly<Record<string, string>> }[];
  /** Where the output of this start goes, a directory for each rank. */
  directory: string;
  logs: LogPlan;
}

/** How a process ended. */
export interface RankEnd {
  rank: number;
  localRank: number;
  host: string;
  /** As a shell says it: 128 and the signal's number for one that a signal ended. */
  exitCode: number;
  signal?: NodeJS.Signals;
  /** Whether the launcher had asked it to end. */
  asked: boolean;
  /** The number of its host among those that had a failure, in the order in which they had it. */
  hostOrder?: number;
  /** In milliseconds since 1970: when it failed, as it says itself, or when it ended. */
  time: number;
  /** Whether its stderr was shown. */
  onTerminal: boolean;
  /** Its own words. */
  message?: string;
  detail?: string;
  /** Its last lines on stderr, where they were not shown on the terminal. */
  lastLines?: string[];
}

const TAIL_LINES = 15;
const STREAMS = ["stdout", "stderr"] as const;

interface Rank {
  child: ChildProcess;
  rank: number;
  localRank: number;
  directory: string;
  onTerminal: boolean;
  asked: boolean;
  end?: RankEnd;
}

/** The processes of one start on this host. */
export class RunningRanks {
  /** All of them, as soon as the last one has ended. */
  readonly ended: Promise<RankEnd[]>;
  /** The first one that ended otherwise than well, as soon as it has; never where there is none. */
  readonly failed: Promise<RankEnd>;
  readonly #ranks: Rank[];

  private constructor(ranks: Rank[]) {
    this.#ranks = ranks;
    const ends = ranks.map((rank) => ending(rank));
    this.ended = Promise.all(ends);
    this.failed = new Promise((resolve) => {
      for (const end of ends) void end.then((how) => how.exitCode !== 0 && resolve(how));
    });
  }

  /** @throws UserError where the output cannot be kept */
  static async start({ program, env, places, directory, logs }: LocalRanks): Promise<RunningRanks> {
    for (const { rank } of places) await makeOutputDirectory(join(directory, String(rank)), logs);
    const ranks = places.map(({ rank, env: place }, localRank): Rank => {
      const own = join(directory, String(rank));
      rmSync(join(own, "error.json"), { force: true }); // of an earlier run of that name
      const targets = STREAMS.map((stream) => targetOf(logs, stream, rank, localRank));
      const files: number[] = [];
      const stdio = targets.map((target, i) => {
        if (target !== "file") return target === "terminal" ? ("inherit" as const) : ("pipe" as const);
        files.push(openSync(join(own, `${STREAMS[i]}.log`), "a"));
        return files.at(-1)!;
      });
      const [command, ...args] = program;
      const child = spawn(command!, args, {
        env: {
          ...env,
          ...place,
          TORCHELASTIC_ERROR_FILE: join(own, "error.json"),
          [PARENT_PIPE]: "3",
        },
        // What a terminal sends to the group in front reaches the launcher alone, which passes it on.
        detached: true,
        stdio: ["ignore", ...stdio, "pipe"] as StdioOptions,
      });
      for (const file of files) closeSync(file);
      const prefix = prefixOf(logs.prefix, rank, localRank);
      const shown = logs.shown?.has(localRank) ?? true;
      for (const [i, stream] of STREAMS.entries()) {
        if (targets[i] !== "tee") continue;
        tee(child[stream]!, join(own, `${stream}.log`), shown ? process[stream] : undefined, prefix);
      }
      child.stdio[3]?.on("error", () => {});
      const onTerminal = targets[1] === "terminal" || (targets[1] === "tee" && shown);
      return { child, rank, localRank, directory: own, onTerminal, asked: false };
    });
    return new RunningRanks(ranks);
  }

  /** Sends a signal to every process that has not ended; `asks` it to end, unless it says something else. */
  signal(name: NodeJS.Signals, asks = true): void {
    for (const rank of this.#ranks.filter(({ end }) => end === undefined)) {
      rank.asked ||= asks;
      rank.child.kill(name);
    }
  }

  /** Ends at once every process that has not ended, with all that it started. */
  kill(): void {
    for (const rank of this.#ranks.filter(({ end }) => end === undefined)) {
      rank.asked = true;
      try {
        process.kill(-rank.child.pid!, "SIGKILL");
      } catch {
        rank.child.kill("SIGKILL");
      }
    }
  }

  get alive(): number {
    return this.#ranks.filter(({ end }) => end === undefined).length;
  }

  /** Gives all `patience` seconds to end, and then ends those that have not. */
  async endWithin(patience: number): Promise<RankEnd[]> {
    const timer = new AbortController();
    const late = sleep(patience * 1_000, undefined, { signal: timer.signal }).then(
      () => this.kill(),
      () => {},
    );
    const ends = await this.ended;
    timer.abort();
    await late;
    return ends;
  }

  /** Ends all: by SIGTERM, and after `patience` seconds by SIGKILL. */
  async end(patience: number): Promise<RankEnd[]> {
    this.signal("SIGTERM");
    return await this.endWithin(patience);
  }
}

async function makeOutputDirectory(path: string, { directory }: LogPlan): Promise<void> {
  try {
    await makeDirectory(path);
  } catch (error) {
    const name = directory === undefined ? "The temporary directory" : "--log-dir";
    throw new UserError(`${name} must be one that can be written, but is ${path}: ${reasonOf(error)}.`, {
      cause: error,
    });
  }
}

type Target = "terminal" | "file" | "tee";

/** Rank 0 speaks to the terminal and the others into files, unless told otherwise. */
function targetOf(
  { redirects, tee }: LogPlan,
  stream: "stdout" | "stderr",
  rank: number,
  localRank: number,
): Target {
  if (tee?.(localRank)[stream]) return "tee";
  if (redirects !== undefined) return redirects(localRank)[stream] ? "file" : "terminal";
  return rank === 0 ? "terminal" : "file";
}

function prefixOf(template: string | undefined, rank: number, localRank: number): string {
  if (template === undefined) return `[rank ${rank}] `;
  const values: Readonly<Record<string, string>> = {
    rank: String(rank),
    local_rank: String(localRank),
    role_name: "default",
    hostname: hostname(),
  };
  return template.replaceAll(/\$\{(\w+)\}/g, (text, name: string) => values[name] ?? text);
}

async function ending(rank: Rank): Promise<RankEnd> {
  const { child, localRank, directory, onTerminal } = rank;
  const [code, signal, failure] = await new Promise<[number | null, NodeJS.Signals | null, Error?]>(
    (resolve) => {
      child.once("error", (error) => child.pid === undefined && resolve([exitCodes.failed, null, error]));
      child.once("exit", (exit, name) => resolve([exit, name]));
    },
  );
  const asked = rank.asked;
  const end: RankEnd = {
    rank: rank.rank,
    localRank,
    host: hostname(),
    exitCode: code ?? signalExitCode(signal!),
    ...(signal !== null && { signal }),
    asked,
    time: Date.now(),
    onTerminal,
    ...(failure !== undefined && { message: failure.message }),
  };
  rank.end = end;
  if (end.exitCode === 0) return end;
  const error = readErrorFile(join(directory, "error.json"));
  if (error !== undefined) {
    const { exitCode, ...words } = error;
    Object.assign(end, words);
    // It had failed before the launcher ended it.
    if (asked && exitCode !== undefined) {
      end.exitCode = exitCode;
      delete end.signal;
    }
  }
  if (!onTerminal) end.lastLines = lastLines(join(directory, "stderr.log"), TAIL_LINES);
  return end;
}
