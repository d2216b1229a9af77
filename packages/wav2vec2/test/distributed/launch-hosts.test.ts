import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { freePort, heard, isRunning, type Launched, LaunchFixture, log, pidOf } from "./launch-fixture.js";

// Launchers of several hosts that find each other through libtorch's TCPStore: on one machine, and in network namespaces
// with a cable between them that is cut.

let fixture: LaunchFixture;
beforeAll(async () => {
  fixture = await LaunchFixture.make();
});
afterEach(() => fixture.killAll());
afterAll(() => fixture.remove());

/** Two hosts that look at each other often. */
function hosts(
  endpoint: string,
  table: Record<string, string>,
  options: readonly string[] = [],
  behind: readonly (readonly string[])[] = [],
): Launched[] {
  return [0, 1].map((rank) =>
    fixture.start(
      table,
      [
        ...["--nnodes", "2", "--node-rank", String(rank), "--rdzv-endpoint", endpoint],
        ...["--monitor-interval", "0.3", "--nproc-per-node", "1", "-r", "3", ...options],
      ],
      {},
      behind[rank],
    ),
  );
}

const here = async (): Promise<string> => `127.0.0.1:${await freePort()}`;

describe("launch on several hosts", () => {
  it("numbers processes over hosts, and they meet in the store of host 0", async () => {
    const [a, b] = hosts(await here(), { "*": "meet" }, ["--nproc-per-node", "2"]);
    const [first, second] = await Promise.all([a!.ended, b!.ended]);
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(first.stderr).toMatch(
      /^Hosts find each other at 127\.0\.0\.1:\d+, which is here; this host is 127\.0\.0\.1\.\n$/,
    );
    expect(second.stderr).toMatch(/^Found the run at 127\.0\.0\.1:\d+; this host is 127\.0\.0\.1\.\n$/);
    for (const [host, rank] of [
      [a, 0],
      [a, 1],
      [b, 2],
      [b, 3],
    ] as const)
      expect(log(host!.logs, rank)).toContain("met 4\n");
  });

  it("ends all hosts when a process of one fails, with the same words and exit code", async () => {
    const [a, b] = hosts(await here(), { 0: "wait", 1: "fail-behind 1|", 2: "wait" }, [
      "--nproc-per-node",
      "1",
    ]);
    await heard(a!.logs, [0], "started");
    await heard(b!.logs, [1], "started");
    process.kill(pidOf(b!.logs, 1), "SIGKILL");
    for (const { code, stderr } of await Promise.all([a!.ended, b!.ended])) {
      expect(code).toBe(137);
      expect(stderr).toMatch(/Rank 1 failed first \(\S+, [\d:]+ UTC\): it was ended by SIGKILL/);
    }
    expect(log(a!.logs, 0)).toContain("got SIGTERM\n");
  });

  it("goes on with fewer hosts when one is gone", async () => {
    const table = { "*": "wait|exit 0" };
    const [a, b] = hosts(await here(), table, [
      ...["--nnodes", "1:2", "--max-restarts", "1"],
      ...["--rdzv-conf", "last_call_timeout=15"],
    ]);
    await heard(b!.logs, [1], "started");
    await heard(a!.logs, [0], "started");
    const left = pidOf(b!.logs, 1);
    b!.child.kill("SIGKILL");
    const { code, stderr } = await a!.ended;
    expect(stderr).toMatch(
      /Host \S+ \(127\.0\.0\.1\) is lost: its launcher has not answered for about 3 s\..*\n/,
    );
    expect(stderr).toContain("Starting anew, 1 of at most 1 times.\n");
    expect(code).toBe(0);
    expect(log(a!.logs, 0, "stdout", 1)).toContain("started");
    while (isRunning(left)) await sleep(20);
  });

  it("ends the other hosts when host 0 is gone", async () => {
    const [a, b] = hosts(await here(), { "*": "wait" }, ["--max-restarts", "1"]);
    await heard(a!.logs, [0], "started");
    await heard(b!.logs, [1], "started");
    a!.child.kill("SIGKILL");
    const { code, stderr } = await b!.ended;
    expect([code, stderr]).toEqual([
      137,
      expect.stringMatching(/Host 127\.0\.0\.1:\d+ is lost: the launcher at 127/),
    ]);
    expect(log(b!.logs, 1)).toContain("got SIGTERM\n");
  });

  it("saves and ends on all hosts at a signal, and starts nothing anew", async () => {
    const [a, b] = hosts(await here(), { "*": "wait" }, ["--max-restarts", "1"]);
    await heard(a!.logs, [0], "started");
    await heard(b!.logs, [1], "started");
    for (const { child } of [a!, b!]) child.kill("SIGTERM");
    expect((await Promise.all([a!.ended, b!.ended])).map(({ code }) => code)).toEqual([143, 143]);
  });

  it("names address and time-out where nobody is, and the port that is taken", async () => {
    const options = ["--nnodes", "2", "--rdzv-conf", "join_timeout=1"];
    const port = await freePort();
    const alone = fixture.start({}, [...options, "--node-rank", "1", "--rdzv-endpoint", `127.0.0.1:${port}`]);
    expect(await alone.ended).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        new RegExp(
          `^--rdzv-endpoint must be where host 0 is reached, but 127\\.0\\.0\\.1:${port} did not answer within 1 s\\.`,
        ),
      ),
    });
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, resolve));
    try {
      const taken = fixture.start({}, [
        ...options,
        "--node-rank",
        "0",
        "--rdzv-endpoint",
        `127.0.0.1:${port}`,
      ]);
      expect(await taken.ended).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          new RegExp(
            `^--rdzv-endpoint must name a port of this host that is free, but 127\\.0\\.0\\.1:${port} cannot be taken`,
          ),
        ),
      });
    } finally {
      server.close();
    }
    const few = fixture.start({}, [...options, "--node-rank", "0", "--rdzv-endpoint", `127.0.0.1:${port}`]);
    expect(await few.ended).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/2 hosts must come within 1 s, but only 1 did/),
    });
  });
});

const names = [`wl${process.pid}a`, `wl${process.pid}b`];

function ip(...args: string[]): void {
  execFileSync("ip", args, { stdio: "pipe" });
}

/** Why there can be no network of its own here; undefined where there can. */
function noNetwork(): string | undefined {
  try {
    ip("netns", "add", names[0]!);
    ip("netns", "del", names[0]!);
    return undefined;
  } catch (error) {
    return (
      String((error as Error).message)
        .split("\n")
        .at(-1) || "no iproute2 or no right to network namespaces"
    );
  }
}

const reason = noNetwork();
describe.skipIf(reason !== undefined)(
  `launch between two networks${reason === undefined ? "" : ` (${reason})`}`,
  () => {
    beforeAll(() => {
      for (const name of names) ip("netns", "add", name);
      ip(
        "link",
        "add",
        names[0]!,
        "netns",
        names[0]!,
        "type",
        "veth",
        "peer",
        "name",
        names[1]!,
        "netns",
        names[1]!,
      );
      for (const [i, name] of names.entries()) {
        ip("-n", name, "addr", "add", `10.77.0.${i + 1}/24`, "dev", name);
        for (const device of ["lo", name]) ip("-n", name, "link", "set", device, "up");
      }
    });
    afterAll(() => {
      fixture.killAll();
      for (const name of names) ip("netns", "del", name);
    });

    const inside = names.map((name) => ["ip", "netns", "exec", name]);

    it("finds the addresses by the route, and ends both sides when the cable is cut", async () => {
      const [a, b] = hosts("10.77.0.1:29400", { "*": "place|", 1: "place|" }, [], inside);
      const results = await Promise.all([a!.ended, b!.ended]);
      expect(results.map(({ code }) => code)).toEqual([0, 0]);
      expect(log(a!.logs, 0)).toContain('"WAV2VEC2_LOCAL_ADDR":"10.77.0.1"');
      expect(log(b!.logs, 1)).toContain('"WAV2VEC2_LOCAL_ADDR":"10.77.0.2"');

      const [c, d] = hosts("10.77.0.1:29401", { "*": "wait" }, [], inside);
      await heard(c!.logs, [0], "started");
      await heard(d!.logs, [1], "started");
      ip("-n", names[0]!, "link", "set", names[0]!, "down");
      const [first, second] = await Promise.all([c!.ended, d!.ended]);
      expect([first.code, second.code]).toEqual([137, 137]);
      expect(first.stderr).toMatch(
        /Host \S+ \(10\.77\.0\.2\) is lost: its launcher has not answered for about 3 s/,
      );
      expect(second.stderr).toMatch(
        /Host 10\.77\.0\.1:29401 is lost: the launcher at 10\.77\.0\.1:29401 has not answered for 3 s/,
      );
      for (const [logs, rank] of [
        [c!.logs, 0],
        [d!.logs, 1],
      ] as const) {
        expect(log(logs, rank)).toContain("got SIGTERM\n");
        expect(isRunning(pidOf(logs, rank))).toBe(false);
      }
    });
  },
);
