import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { listCheckpoints } from "../../src/training/checkpoints/checkpoint.js";
import { trainingFixture } from "../training/training-fixture.js";
import { curveOf, damagedCheckpoints, lastStep } from "../training/training-process.js";
import { freePort, isRunning, type LaunchFixture } from "./launch-fixture.js";
import { LaunchedTraining } from "./launched-training.js";
import { TwoNetworks } from "./two-networks.js";

// Training on two hosts with a network between them that fails, and names that mean what they should not.

const STEPS = 30;
const PROGRAM = fileURLToPath(new URL("../../bin/wav2vec2.js", import.meta.url));
const TRAINING = ["finetune", "--config", "recipe.yaml"];

let fixture: LaunchFixture;
beforeAll(async () => {
  fixture = await trainingFixture({
    max_steps: STEPS,
    save_steps: 2,
    eval_steps: 1000,
    schedule: { warmup_steps: 2 },
  });
});
afterEach(() => fixture.killAll());
afterAll(() => fixture.remove());

/** A training on two hosts, a process on each; its launchers look at each other often. */
function onTwoHosts(
  name: string,
  endpoint: string,
  {
    behind = [[], []],
    args = [] as readonly string[],
  }: { behind?: string[][]; args?: readonly string[] } = {},
): [LaunchedTraining, LaunchedTraining] {
  const host = (rank: 0 | 1) =>
    new LaunchedTraining(fixture, join(fixture.directory, name), [...TRAINING, ...args], {
      processes: 1,
      evalSteps: 1000,
      behind: behind[rank]!,
      options: [
        ...["--nnodes", "2", "--node-rank", String(rank), "--rdzv-endpoint", endpoint],
        ...["--monitor-interval", "0.5", "--shutdown-timeout", "2"],
      ],
    });
  return [host(0), host(1)];
}

/** A process of a training without a launcher, as srun starts it. */
async function alone(
  env: Record<string, string>,
  behind: readonly string[] = [],
): Promise<{ code: number | null; said: string }> {
  const [command, ...rest] = [...behind, process.execPath, PROGRAM, ...TRAINING, "--output", "alone"];
  const place = { RANK: "0", WORLD_SIZE: "2", LOCAL_RANK: "0", LOCAL_WORLD_SIZE: "1" };
  const child = spawn(command!, rest, {
    cwd: fixture.directory,
    env: { ...process.env, ...place, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (text) => {
    said += text;
  });
  return { code: await new Promise((resolve) => child.once("close", resolve)), said };
}

describe("training on several hosts", { timeout: 300_000 }, () => {
  it("works with two launchers that meet at 127.0.0.1", async () => {
    const [a, b] = onTwoHosts("here", `127.0.0.1:${await freePort()}`, { args: ["--max-steps", "2"] });
    const ends = await Promise.all([a.launched.ended, b.launched.ended]);
    expect(
      ends.map(({ code }) => code),
      ends[0].stderr + a.said(0),
    ).toEqual([0, 0]);
    expect(lastStep(a.output)).toBe(2);
  });

  it("names the port that is taken", async () => {
    const server = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, resolve));
    try {
      const { code, said } = await alone({
        ...{ MASTER_ADDR: "127.0.0.1", MASTER_PORT: String(port), LOCAL_WORLD_SIZE: "2" },
      });
      expect(said).toMatch(
        new RegExp(`^The store must be hosted at port ${port} of 127\\.0\\.0\\.1, but cannot be: `),
      );
      expect(code).toBe(200);
    } finally {
      server.close();
    }
  });
});

const missing = process.platform === "linux" ? TwoNetworks.missing() : "network namespaces are Linux's";
describe.skipIf(missing !== undefined)(
  `training between two networks${missing === undefined ? "" : ` (${missing})`}`,
  { timeout: 300_000 },
  () => {
    let networks: TwoNetworks;
    beforeAll(() => {
      networks = TwoNetworks.make("wf", 8);
      const [first] = networks.addresses;
      // Debian's installer gives a host's own name 127.0.1.1.
      networks.hosts(0, { first: "127.0.1.1" });
      networks.hosts(1, { first, wrong: "127.0.0.1" });
    });
    afterAll(() => {
      fixture.killAll();
      networks.remove();
    });
    const behind = () => [networks.inside(0), networks.inside(1)];

    it("ends on both sides where one does not hear the other any more, either way, and goes on to the bit", async () => {
      for (const [times, silent] of ([0, 1] as const).entries()) {
        const args = times > 0 ? ["--resume"] : [];
        const [a, b] = onTwoHosts("cut", `first:${29_410 + times}`, { behind: behind(), args });
        const from = lastStep(a.output);
        await a.until(() => lastStep(a.output) >= from + 4 || lastStep(a.output) < from);
        a.ranks();
        b.ranks();
        networks.silence(silent);
        const ends = await Promise.all([a.launched.ended, b.launched.ended]);
        networks.mend(silent);
        expect(ends.map(({ code }) => code)).toEqual([137, 137]);
        expect(ends[0].stderr).toMatch(/Host \S+ \(10\.77\.8\.2\) is lost: its launcher has not answered/);
        // By silence, or because the launcher of host 0 has ended by then.
        expect(ends[1].stderr).toMatch(
          /Host first:\d+ is lost: the launcher at first:\d+ (has not answered for 5 s|does not answer any more)/,
        );
        for (const run of [a, b]) {
          expect(run.seen.size).toBe(1);
          for (const pid of run.seen) expect(isRunning(pid)).toBe(false);
        }
        expect(await damagedCheckpoints(a.output)).toEqual([]);
        expect((await listCheckpoints(a.output)).length).toBeGreaterThan(0);
      }
      const [a, b] = onTwoHosts("cut", "first:29412", { behind: behind(), args: ["--resume"] });
      const ends = await Promise.all([a.launched.ended, b.launched.ended]);
      expect(
        ends.map(({ code }) => code),
        ends[0].stderr,
      ).toEqual([0, 0]);
      expect(ends[0].stderr).toContain(
        "Hosts find each other at first:29412, which is here; this host is 10.77.8.1.",
      );
      const undisturbed = new LaunchedTraining(fixture, join(fixture.directory, "whole"), TRAINING, {
        evalSteps: 1000,
      });
      expect((await undisturbed.launched.ended).code).toBe(0);
      expect(curveOf(a.output)).toEqual(curveOf(undisturbed.output));
    });

    it("says where a name means this host on every host", async () => {
      const there = fixture.wav2vec2(
        [
          ...["--nnodes", "2", "--node-rank", "1", "--rdzv-endpoint", "wrong:29420", "--nproc-per-node", "1"],
          ...["--rdzv-conf", "join_timeout=1", "--", ...TRAINING],
        ],
        {},
        networks.inside(1),
      );
      const { code, stderr } = await there.ended;
      expect(stderr).toMatch(
        /^--rdzv-endpoint must be where host 0 is reached, but wrong:29420 \(127\.0\.0\.1\) did not answer within 1 s\. wrong is 127\.0\.0\.1 here, which is this host itself: give the address of host 0/,
      );
      expect(code).toBe(1);
      // Without a launcher: the others would be told to connect to themselves.
      const own = await alone({ MASTER_ADDR: "first", MASTER_PORT: "29422" }, networks.inside(0));
      expect(own.said).toMatch(
        /^This host's address must be one that the other host reaches, but is 127\.0\.\d\.1, since first is this host itself here\. Give/,
      );
      expect(own.code).toBe(1);
    });
  },
);
