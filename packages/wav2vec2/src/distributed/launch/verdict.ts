import { exitCodes, mayHelpToRestart, STOP_SIGNALS, signalExitCode } from "../../exit-codes.js";
import type { RankEnd } from "./local-ranks.js";

/** A host that stopped answering. */
export interface LostHost {
  host: string;
  /** Why it is taken for lost. */
  reason: string;
  time: number;
}

/** What follows from how the processes of one start ended. */
export interface Verdict {
  exitCode: number;
  /** Whether starting anew may help. */
  restart: boolean;
  /** What failed, the cause first. */
  failures: RankEnd[];
  lost: LostHost[];
}

/** Signals that say nothing of a cause elsewhere: whoever got one is the first. */
const CRASHES: ReadonlySet<string> = new Set(["SIGKILL", "SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE"]);

/** Exit codes of training that saved and ended because a signal told it to. */
const SAVED: ReadonlySet<number> = new Set(STOP_SIGNALS.map(signalExitCode));

/** Of a process that saved and ended because another one was told to, and of Ctrl+C. */
const FOLLOWED = exitCodes.interrupted;

/** Whether a process ended by agreement: the others do so too. */
export function endedByAgreement({ exitCode, signal }: RankEnd): boolean {
  return signal === undefined && SAVED.has(exitCode);
}

/**
 * Judges how the processes of one start ended.
 *
 * The exit code is that of the first that failed in time; 0 where none did. One that was killed or crashed counts as the
 * first whatever the times say: the others report the loss of their connection to it, and are sometimes seen sooner.
 * Errors that a user must mend exit below 128, and are no reason to start anew; Kubernetes sees it alike.
 *
 * @param stoppedBy the signal that told the launcher to end
 * @param restarts how often it may start anew yet
 */
export function judge(
  ends: readonly RankEnd[],
  {
    stoppedBy,
    lost = [],
    restarts,
  }: { stoppedBy?: NodeJS.Signals | undefined; lost?: readonly LostHost[]; restarts: number },
): Verdict {
  const failures = ends
    .filter((end) => end.exitCode !== 0 && !wasEnded(end))
    .sort(
      (a, b) =>
        Number(isCrash(b)) - Number(isCrash(a)) ||
        (a.hostOrder ?? 0) - (b.hostOrder ?? 0) ||
        a.time - b.time ||
        a.rank - b.rank,
    );
  const [first] = failures;
  const agreed = agreedCode(ends);
  // Before there is anything to save, who is told to end does not wait for the others, which miss it then.
  const isMissed =
    agreed !== undefined && failures.every(({ exitCode }) => exitCode === exitCodes.disconnected);
  if (stoppedBy !== undefined && (first === undefined || first.signal === stoppedBy || isMissed)) {
    const all = ends.every(({ exitCode }) => exitCode === 0);
    const exitCode = all ? 0 : (agreed ?? signalExitCode(stoppedBy));
    return { exitCode, restart: false, failures: [], lost: [] };
  }
  if (isMissed && lost.length === 0 && ends.some((end) => endedByAgreement(end) && !end.asked))
    return { exitCode: agreed, restart: false, failures: [], lost: [] };
  const mayRestart = stoppedBy === undefined && restarts > 0;
  if (lost.length > 0)
    return { exitCode: signalExitCode("SIGKILL"), restart: mayRestart, failures, lost: [...lost] };
  if (first !== undefined)
    return {
      exitCode: first.exitCode,
      restart: mayRestart && mayHelpToRestart(first.exitCode),
      failures,
      lost: [],
    };
  return { exitCode: agreed ?? 0, restart: false, failures, lost: [] };
}

/** That of those who were told to end, where some did. The others of the run follow them, and know of no signal: 130. */
function agreedCode(ends: readonly RankEnd[]): number | undefined {
  const codes = ends.filter(endedByAgreement).map(({ exitCode }) => exitCode);
  return codes.find((code) => code !== FOLLOWED) ?? codes[0];
}

/** Whether a process ended because it was told to. One that wrote of an error had failed before it was. */
function wasEnded(end: RankEnd): boolean {
  return end.message === undefined && (endedByAgreement(end) || (end.asked && end.signal !== undefined));
}

function isCrash({ asked, signal }: RankEnd): boolean {
  return !asked && signal !== undefined && CRASHES.has(signal);
}

const INDENT = "    ";

/** The failures for people: the cause with all that it said, the others in a line each. */
export function describeFailures({ failures, lost }: Verdict, all: number): string {
  const lines = lost.map(({ host, reason }) => `Host ${host} is lost: ${reason}`);
  for (const [i, end] of failures.entries()) {
    const who = `${end.host}, ${new Date(end.time).toISOString().slice(11, 19)} UTC`;
    if (i > 0 || lost.length > 0) {
      const said = end.message === undefined ? "." : `: ${firstLine(end.message)}`;
      lines.push(`Then rank ${end.rank} (${who}) ${howOf(end)}${said}`);
      continue;
    }
    lines.push(`Rank ${end.rank} failed first (${who}): it ${howOf(end)}.`);
    const said = end.detail ?? end.lastLines?.join("\n") ?? end.message;
    if (said) lines.push(...said.split("\n").map((line) => `${INDENT}${line}`));
  }
  const others = all - failures.length;
  if (failures.length + lost.length > 0 && others > 0)
    lines.push(`${others === 1 ? "The other process was" : `The other ${others} processes were`} ended.`);
  return lines.join("\n");
}

function howOf({ exitCode, signal }: RankEnd): string {
  if (signal === undefined) return `exited with ${exitCode}`;
  const hint = signal === "SIGKILL" ? " (by the system where memory runs out, or by hand)" : "";
  return `was ended by ${signal}${hint}`;
}

function firstLine(text: string): string {
  return text.split("\n")[0]!;
}
