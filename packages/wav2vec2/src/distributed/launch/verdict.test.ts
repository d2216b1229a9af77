import { describe, expect, it } from "vitest";
import type { RankEnd } from "./local-ranks.js";
import { describeFailures, judge } from "./verdict.js";

function ended(rank: number, exitCode: number, rest: Partial<RankEnd> = {}): RankEnd {
  return { rank, localRank: rank, host: "a", exitCode, asked: false, time: 0, onTerminal: false, ...rest };
}
const killed = (rank: number, time: number) => ended(rank, 137, { signal: "SIGKILL", time });
const told = (rank: number) => ended(rank, 143, { signal: "SIGTERM", asked: true });

describe("judge", () => {
  it.each<[string, RankEnd[], { stoppedBy?: NodeJS.Signals; restarts?: number }, number, boolean, number[]]>([
    ["all well", [ended(0, 0), ended(1, 0)], {}, 0, false, []],
    [
      "the first in time",
      [ended(0, 1, { time: 9 }), ended(1, 2, { time: 5 }), told(2)],
      {},
      2,
      false,
      [1, 0],
    ],
    [
      "a killed one before those who report it",
      [ended(0, 1, { time: 1 }), killed(1, 9)],
      {},
      137,
      true,
      [1, 0],
    ],
    ["a killed one without restarts left", [killed(0, 1)], { restarts: 0 }, 137, false, [0]],
    [
      "an error that the launcher cut short",
      [ended(0, 1, { time: 2 }), ended(1, 1, { time: 1, asked: true, message: "x" })],
      {},
      1,
      false,
      [1, 0],
    ],
    ["lost connections", [ended(0, 200), ended(1, 200, { time: 1 })], {}, 200, true, [0, 1]],
    ["saved when told to", [ended(0, 143), ended(1, 143)], {}, 143, false, []],
    [
      "told to before there was anything to save",
      [ended(0, 143), ended(1, 200, { time: 1 })],
      {},
      143,
      false,
      [],
    ],
    [
      "all told to, then",
      [ended(0, 143, { asked: true }), ended(1, 200)],
      { stoppedBy: "SIGTERM" },
      143,
      false,
      [],
    ],
    ["killed, and another one told to", [ended(0, 143, { asked: true }), killed(1, 1)], {}, 137, true, [1]],
    ["saved since another was told to", [ended(0, 130), ended(1, 143)], {}, 143, false, []],
    [
      "a signal",
      [ended(0, 130, { asked: true }), ended(1, 130, { asked: true })],
      { stoppedBy: "SIGINT" },
      130,
      false,
      [],
    ],
    [
      "a signal to a program that has no handler",
      [told(0), told(1)],
      { stoppedBy: "SIGTERM" },
      143,
      false,
      [],
    ],
    [
      "a signal to the whole group",
      [ended(0, 143, { signal: "SIGTERM" })],
      { stoppedBy: "SIGTERM" },
      143,
      false,
      [],
    ],
    ["a signal when all was done", [ended(0, 0), ended(1, 0)], { stoppedBy: "SIGTERM" }, 0, false, []],
    [
      "saving failed after a signal",
      [ended(0, 1, { asked: true }), ended(1, 143, { asked: true })],
      { stoppedBy: "SIGTERM" },
      1,
      false,
      [0],
    ],
  ])("%s", (_, ends, given, exitCode, restart, order) => {
    const verdict = judge(ends, { stoppedBy: given.stoppedBy, restarts: given.restarts ?? 1 });
    expect([verdict.exitCode, verdict.restart, verdict.failures.map(({ rank }) => rank)]).toEqual([
      exitCode,
      restart,
      order,
    ]);
  });
});

describe("describeFailures", () => {
  it("shows the cause with its words and the others in a line each", () => {
    const failures = [
      ended(3, 1, {
        time: 1_732_800_000_000,
        detail: "no clips,\nread them",
        message: "UserError: no clips",
      }),
      ended(0, 200, { time: 1_732_800_001_000, message: "DistributedError: gone\nmore" }),
    ];
    expect(describeFailures({ exitCode: 1, restart: false, failures, lost: [] }, 4).split("\n")).toEqual([
      "Rank 3 failed first (a, 13:20:00 UTC): it exited with 1.",
      "    no clips,",
      "    read them",
      "Then rank 0 (a, 13:20:01 UTC) exited with 200: DistributedError: gone",
      "The other 2 processes were ended.",
    ]);
  });
});
