import { afterEach, describe, expect, it } from "vitest";
import { MemoryNetwork } from "../../../../test/distributed/memory-store.js";
import { ConfigurationError } from "../../../errors.js";
import type { RankEnd } from "../local-ranks.js";
import type { HostsPlan } from "../plan/hosts-plan.js";
import { Rendezvous } from "./rendezvous.js";
import type { Round } from "./session.js";

// Launchers of several hosts in one process, over stores in memory whose connections can be cut.

const open: Rendezvous[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

let network: MemoryNetwork;
async function host(
  plan: Partial<HostsPlan> = {},
  options: { localSize?: number; maxRestarts?: number; runId?: string; notes?: string[] } = {},
): Promise<Rendezvous> {
  const { localSize = 1, maxRestarts = 0, runId, notes = [] } = options;
  const rendezvous = await Rendezvous.open({
    hosts: {
      min: 2,
      max: 2,
      byAddress: plan.rank === undefined,
      address: "127.0.0.1",
      port: 29_400,
      joinTimeout: 60,
      lastCall: 0.3,
      interval: 0.05,
      ...plan,
    },
    localSize,
    runId,
    maxRestarts,
    env: {},
    openStore: network.open,
    onNote: (text) => notes.push(text),
  });
  open.push(rendezvous);
  return rendezvous;
}

const never = new AbortController().signal;
const joined = (hosts: Rendezvous[]): Promise<Round[]> => Promise.all(hosts.map((one) => one.join(never)));

function ended(rank: number, exitCode: number, rest: Partial<RankEnd> = {}): RankEnd {
  return { rank, localRank: 0, host: "h", exitCode, asked: false, time: 0, onTerminal: false, ...rest };
}

describe("Rendezvous", () => {
  it("numbers hosts as they were told to, and their processes one after another", async () => {
    network = new MemoryNetwork();
    const leader = await host({ min: 3, max: 3, rank: 0 }, { localSize: 2, runId: "nightly" });
    const last = await host({ min: 3, max: 3, rank: 2 }, { localSize: 1 });
    const middle = await host({ min: 3, max: 3, rank: 1 }, { localSize: 4 });
    const rounds = await joined([leader, last, middle]);
    expect(rounds.map(({ groupRank, firstRank }) => [groupRank, firstRank])).toEqual([
      [0, 0],
      [2, 6],
      [1, 2],
    ]);
    for (const round of rounds)
      expect(round).toMatchObject({ attempt: 0, runId: "nightly", hosts: 3, size: 7, port: 29_400 });
  });

  it("numbers them as they come where nobody said, and the one that hosts the store is the first", async () => {
    network = new MemoryNetwork();
    const hosts = [await host(), await host()];
    const rounds = await joined(hosts.toReversed());
    expect(rounds.map(({ groupRank }) => groupRank)).toEqual([1, 0]);
  });

  it("begins with fewer than the most after a last call", async () => {
    network = new MemoryNetwork();
    const hosts = [await host({ min: 1, max: 3 }), await host({ min: 1, max: 3 })];
    const rounds = await joined(hosts);
    expect(rounds.map(({ hosts: count }) => count)).toEqual([2, 2]);
  });

  it("tells all hosts who is missing when too few come", async () => {
    network = new MemoryNetwork();
    const plan = { min: 3, max: 3, joinTimeout: 0.3 };
    const hosts = [await host(plan), await host(plan)];
    const results = await Promise.allSettled(hosts.map((one) => one.join(never)));
    for (const result of results)
      expect(String((result as PromiseRejectedResult).reason)).toMatch(
        /3 hosts must come within 0\.3 s, but only 2 did: \S+ \(127\.0\.0\.1\), /,
      );
  });

  it("refuses two hosts of one number, and another run's host", async () => {
    network = new MemoryNetwork();
    const leader = await host({ min: 3, max: 3, rank: 0 }, { runId: "a" });
    await host({ min: 3, max: 3, rank: 1 });
    await host({ min: 3, max: 3, rank: 1 });
    await expect(leader.join(never)).rejects.toThrow(
      /^--node-rank must be different on every host, but is 1 on \S+ \(127\.0\.0\.1\) and on /,
    );
    const other = host({ rank: 2 }, { runId: "b" });
    await expect(other).rejects.toThrow(
      /^--rdzv-id must be 'a' as on the host of 127\.0\.0\.1:29400, but is 'b'/,
    );
    await expect(other).rejects.toBeInstanceOf(ConfigurationError);
  });

  it("names address and time-out where nobody hosts the store", async () => {
    network = new MemoryNetwork();
    await expect(host({ rank: 1, joinTimeout: 5 })).rejects.toThrow(
      /^--rdzv-endpoint must be where host 0 is reached, but 127\.0\.0\.1:29400 did not answer within 5 s\..*--node-rank 0/,
    );
    network.hosted = true;
    await expect(host({ rank: 0 })).rejects.toThrow(
      /^--rdzv-endpoint must name a port of this host that is free, but 127\.0\.0\.1:29400 cannot be taken: address already in use/,
    );
  });

  it("tells the others of a failure, and all agree on which was the first", async () => {
    network = new MemoryNetwork();
    const [a, b] = [await host({}, { maxRestarts: 1 }), await host({}, { maxRestarts: 1 })];
    await joined([a, b]);
    const heard = a.trouble(never);
    await b.announce("failure");
    await heard;
    await a.announce("failure");
    const verdicts = await Promise.all([
      // This host's clock is behind.
      a.finish({ ends: [ended(0, 1, { time: 1 })], stoppedBy: undefined }),
      b.finish({ ends: [ended(1, 7, { time: 1_000 })], stoppedBy: undefined }),
    ]);
    for (const verdict of verdicts) {
      expect(verdict).toMatchObject({ exitCode: 7, restart: false });
      expect(verdict.failures.map(({ rank }) => rank)).toEqual([1, 0]);
    }
  });

  it("starts anew on all hosts after a crash on one", async () => {
    network = new MemoryNetwork();
    const hosts = [await host({}, { maxRestarts: 1 }), await host({}, { maxRestarts: 1 })];
    for (const attempt of [0, 1]) {
      const rounds = await joined(hosts);
      expect(rounds.map((round) => round.attempt)).toEqual([attempt, attempt]);
      const verdicts = await Promise.all(
        hosts.map((one, i) =>
          one.finish({
            ends: [ended(i, i === 1 ? 137 : 0, i === 1 ? { signal: "SIGKILL" } : {})],
            stoppedBy: undefined,
          }),
        ),
      );
      expect(verdicts.map(({ restart }) => restart)).toEqual([attempt === 0, attempt === 0]);
    }
  });

  it("goes on without a host that is silent, and takes it back", async () => {
    network = new MemoryNetwork();
    const plan = { min: 1, max: 2 };
    const [a, b] = [await host(plan, { maxRestarts: 2 }), await host(plan, { maxRestarts: 2 })];
    expect((await joined([a, b]))[0]!.size).toBe(2);
    const connection = network.stores[1]!;
    connection.cut = true;
    await a.trouble(never);
    const verdict = await a.finish({ ends: [ended(0, 143, { asked: true })], stoppedBy: undefined });
    expect(verdict).toMatchObject({ exitCode: 137, restart: true });
    expect(verdict.lost).toEqual([
      expect.objectContaining({ reason: expect.stringContaining("its launcher has not answered for about") }),
    ]);
    expect(await a.join(never)).toMatchObject({ attempt: 1, hosts: 1, size: 1 });
    await b.trouble(never);
    const alone = await b.finish({ ends: [ended(1, 0)], stoppedBy: undefined });
    expect(alone).toMatchObject({ exitCode: 137, restart: false });
    expect(alone.lost[0]).toMatchObject({
      host: "127.0.0.1:29400",
      reason: expect.stringMatching(/^the launcher at 127\.0\.0\.1:29400 has not answered for 0\.5 s/),
    });
    // A host that comes anew takes part from the next start on.
    const c = await host(plan, { maxRestarts: 2 });
    const rejoined = c.join(never);
    await a.finish({ ends: [ended(0, 137, { signal: "SIGKILL" })], stoppedBy: undefined });
    expect(await a.join(never)).toMatchObject({ attempt: 2, hosts: 2 });
    expect(await rejoined).toMatchObject({ attempt: 2, groupRank: 1 });
  });

  it("ends the others when the host of the store is gone", async () => {
    network = new MemoryNetwork();
    const [a, b] = [await host(), await host()];
    await joined([a, b]);
    network.stores[1]!.broken = true;
    await b.trouble(never);
    const verdict = await b.finish({ ends: [ended(1, 1)], stoppedBy: undefined });
    expect(verdict).toMatchObject({ exitCode: 137, restart: false });
    expect(verdict.lost[0]!.reason).toContain("does not answer any more: connection reset by peer");
    network.stores[0]!.broken = true;
  });

  it("tells once of processes that ended because they were told to, and then of failures", async () => {
    network = new MemoryNetwork();
    const [a, b] = [await host(), await host()];
    await joined([a, b]);
    await b.announce("stop");
    expect(await a.trouble(never)).toBe("stop");
    const next = a.trouble(never);
    await b.announce("failure");
    expect(await next).toBe("failure");
  });

  it("restarts nothing after a signal on any host", async () => {
    network = new MemoryNetwork();
    const hosts = [await host({}, { maxRestarts: 1 }), await host({}, { maxRestarts: 1 })];
    await joined(hosts);
    const verdicts = await Promise.all([
      hosts[0]!.finish({ ends: [ended(0, 143)], stoppedBy: undefined }),
      hosts[1]!.finish({ ends: [ended(1, 143, { asked: true })], stoppedBy: "SIGTERM" }),
    ]);
    expect(verdicts).toEqual(Array(2).fill({ exitCode: 143, restart: false, failures: [], lost: [] }));
  });
});
