import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { signalExitCode } from "../../exit-codes.js";
import { LOOPBACK } from "../environment.js";
import { LOCAL_ADDRESS } from "../local-address.js";
import { Control } from "./control.js";
import { newRunId, Rendezvous } from "./hosts/rendezvous.js";
import { type Round, type Session, SingleHost, type Trouble } from "./hosts/session.js";
import { type OpenStore, openTcpStore } from "./hosts/store.js";
import { type RankEnd, RunningRanks } from "./local-ranks.js";
import type { LaunchPlan } from "./plan/launch-plan.js";
import { describeFailures, endedByAgreement } from "./verdict.js";

export interface LaunchContext {
  /** What each process runs before the plan's command: Node.js and a script. */
  program: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Gets what happens, for people. */
  onNote: (text: string) => void;
  openStore?: OpenStore;
}

/** Commands that go on from a checkpoint when asked to. */
const RESUMABLE: ReadonlySet<string> = new Set(["pretrain", "finetune"]);

/**
 * Starts the processes of this host as the plan says, together with the launchers of the other hosts, and stays until they
 * have ended.
 *
 * @returns the exit code that all hosts agree on
 * @throws UserError where the hosts do not come together
 */
export async function launch(plan: LaunchPlan, context: LaunchContext): Promise<number> {
  const control = new Control(plan, context.onNote);
  const { directory: kept } = plan.logs;
  const directory = kept === undefined ? mkdtempSync(join(tmpdir(), "wav2vec2-launch-")) : resolve(kept);
  let showsLogs = false;
  let session: Session | undefined;
  const attempts = async (): Promise<number> => {
    session = await openSession(plan, context);
    for (;;) {
      const round = await session.join(control.stopped);
      const verdict = await runOnce(plan, context, { session, round, directory, control });
      const [first] = verdict.failures;
      // What a single process says stands on the terminal already.
      const said = round.size === 1 && first !== undefined && first.onTerminal && first.signal === undefined;
      if (!said && verdict.failures.length + verdict.lost.length > 0) {
        showsLogs = true;
        context.onNote(describeFailures(verdict, round.size));
      }
      if (!verdict.restart || control.stopped.aborted) return verdict.exitCode;
      context.onNote(`Starting anew, ${round.attempt + 1} of at most ${plan.maxRestarts} times.`);
    }
  };
  try {
    const done = attempts();
    done.catch(() => {}); // where nobody waits for it any more
    return await Promise.race([done, control.forced]);
  } catch (error) {
    if (control.stoppedBy !== undefined && error === control.stopped.reason)
      return signalExitCode(control.stoppedBy);
    throw error;
  } finally {
    await session?.close();
    control.release();
    if (showsLogs) context.onNote(`The output of every process of this host is in ${directory}.`);
    else if (kept === undefined) rmSync(directory, { recursive: true, force: true });
  }
}

async function openSession(
  plan: LaunchPlan,
  { env, onNote, openStore = openTcpStore }: LaunchContext,
): Promise<Session> {
  const { hosts, localSize, runId, maxRestarts } = plan;
  if (hosts.max > 1)
    return await Rendezvous.open({ hosts, localSize, runId, maxRestarts, env, openStore, onNote });
  const store = await openStore({ host: LOOPBACK, port: 0, isServer: true, timeoutMs: 30_000 });
  return new SingleHost(localSize, runId ?? newRunId(), store, maxRestarts);
}

/** One start of the processes, until they and those of the other hosts have ended. */
async function runOnce(
  plan: LaunchPlan,
  context: LaunchContext,
  start: { session: Session; round: Round; directory: string; control: Control },
) {
  const { session, round, directory, control } = start;
  const { patience } = plan;
  const resume =
    round.attempt > 0 && RESUMABLE.has(plan.command[0] ?? "") && !plan.command.includes("--resume")
      ? ["--resume"]
      : [];
  const ranks = await RunningRanks.start({
    program: [...context.program, ...plan.command, ...resume],
    env: { ...context.env, ...plan.env },
    places: Array.from({ length: plan.localSize }, (_, localRank) => ({
      rank: round.firstRank + localRank,
      env: placeVariables(plan, round, localRank),
    })),
    directory: join(directory, round.runId, `attempt_${round.attempt}`),
    logs: plan.logs,
  });
  control.begin(ranks);
  const over = new AbortController();
  const heed = async (trouble: Trouble): Promise<void> => {
    // Whoever saved because it was told to is followed by the others, and told nothing more: that would cut it short.
    if (trouble === "stop") await ranks.endWithin(patience.signal);
    else await ranks.end(patience.failure);
  };
  void ranks.failed.then(async (end: RankEnd) => {
    const trouble = endedByAgreement(end) || control.stopped.aborted ? "stop" : "failure";
    await Promise.all([session.announce(trouble), heed(trouble)]);
  });
  void (async () => {
    while (!over.signal.aborted) {
      const trouble = await session.trouble(over.signal);
      if (over.signal.aborted) return;
      if (trouble === "failure") return void (await heed(trouble));
      void heed(trouble);
    }
  })();
  try {
    // finish looks at the other hosts itself; by twice as many looks a silent one would be lost in half the time.
    const ends = await ranks.ended.finally(() => over.abort());
    return await session.finish({ ends, stoppedBy: control.stoppedBy });
  } finally {
    control.end();
  }
}

/** The variables that torchrun gives a process, besides that of its error file. */
function placeVariables(plan: LaunchPlan, round: Round, localRank: number): Record<string, string> {
  const rank = String(round.firstRank + localRank);
  const size = String(round.size);
  return {
    RANK: rank,
    LOCAL_RANK: String(localRank),
    GROUP_RANK: String(round.groupRank),
    ROLE_RANK: rank,
    ROLE_NAME: "default",
    WORLD_SIZE: size,
    LOCAL_WORLD_SIZE: String(plan.localSize),
    GROUP_WORLD_SIZE: String(round.hosts),
    ROLE_WORLD_SIZE: size,
    MASTER_ADDR: round.address,
    MASTER_PORT: String(round.port),
    TORCHELASTIC_RESTART_COUNT: String(round.attempt),
    TORCHELASTIC_MAX_RESTARTS: String(plan.maxRestarts),
    TORCHELASTIC_RUN_ID: round.runId,
    // The launcher of host 0 hosts the store: rank 0 too is a client.
    TORCHELASTIC_USE_AGENT_STORE: "True",
    ...(round.localAddress !== undefined && { [LOCAL_ADDRESS]: round.localAddress }),
  };
}
