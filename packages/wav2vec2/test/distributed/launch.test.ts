import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { heard, isRunning, LaunchFixture, log, pidOf } from "./launch-fixture.js";

// Real processes, really started, signalled and killed by the compiled program. They do what a table says
// (launch-program.mjs), or run a real command.

let fixture: LaunchFixture;
beforeAll(async () => {
  fixture = await LaunchFixture.make();
});
afterEach(() => fixture.killAll());
afterAll(() => fixture.remove());

describe("wav2vec2 launch", () => {
  it("gives each process torchrun's variables and its part of the cores", async () => {
    const { ended, logs } = fixture.start({ "*": "place" }, ["-r", "3", "--nproc_per_node", "3"], {
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
    const mine = fixture.start({ "*": "place" }, ["-r", "3"], { OMP_NUM_THREADS: "7" });
    await mine.ended;
    expect(log(mine.logs, 1)).toContain('"OMP_NUM_THREADS":"7"');
  });

  it("shows process 0 and keeps the others' output, or shows all behind a prefix", async () => {
    const plain = fixture.start({ "*": "say hello" });
    const { stdout, stderr } = await plain.ended;
    expect([stdout.split("\n").slice(2).join("\n"), stderr]).toEqual(["hello\n", "hello on stderr\n"]);
    expect(log(plain.logs, 1)).toContain("hello\n");
    expect(log(plain.logs, 1, "stderr")).toBe("hello on stderr\n");
    const teed = fixture.start({ "*": "say hello" }, [
      "--tee",
      "3",
      "--log_line_prefix_template",
      "<$" + "{rank}/$" + "{local_rank}>",
    ]);
    const all = await teed.ended;
    expect(all.stderr.split("\n").sort()).toEqual(["", "<0/0>hello on stderr", "<1/1>hello on stderr"]);
    expect(log(teed.logs, 0)).toContain("hello\n");
    const some = fixture.start({ "*": "say hello" }, ["-t", "0:2,1:2", "--local-ranks-filter", "1"]);
    expect((await some.ended).stderr).toBe("[rank 1] hello on stderr\n");
  });

  it("ends all when one process fails, and shows the first error in time first", async () => {
    const { ended } = fixture.start({ 0: "fail-behind 1", 1: "fail", 2: "wait" }, ["--nproc-per-node", "3"]);
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
    const { ended, logs } = fixture.start({ 1: "nonsense" });
    const { code, stderr } = await ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/Rank 1 failed first .*\n[\s\S]* {4}Error: unknown action nonsense/);
    expect(stderr).toContain(`The output of every process of this host is in ${logs}.`);
  });

  it("exits with a killed process's 137 and takes it for the cause, and kills who does not end", async () => {
    const options = ["--shutdown-timeout", "0.5", "-r", "1"];
    const { ended, logs, child } = fixture.start({ 0: "stubborn", 1: "wait" }, options);
    await heard(logs, [0, 1], "started");
    child.kill("SIGUSR1"); // which asks for no end
    await heard(logs, [0, 1], "got SIGUSR1");
    process.kill(pidOf(logs, 1), "SIGKILL");
    const { code, stderr } = await ended;
    expect(code).toBe(137);
    expect(stderr).toMatch(/^Rank 1 failed first .*: it was ended by SIGKILL/);
    expect(log(logs, 0)).toContain("got SIGUSR1 SIGTERM\n");
    expect(isRunning(pidOf(logs, 0))).toBe(false);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("passes a terminal's %s on once and exits with %d", async (signal, code) => {
    const { ended, logs, child } = fixture.start({ "*": "wait" }, ["-r", "1"]);
    await heard(logs, [0, 1], "started");
    process.kill(-child.pid!, signal);
    expect(await ended).toMatchObject({ code, stderr: "" });
    for (const rank of [0, 1]) expect(log(logs, rank)).toMatch(new RegExp(`started \\ngot ${signal}\\n$`));
  });

  it("ends at once at a second signal", async () => {
    const { ended, logs, child } = fixture.start({ "*": "stubborn" }, ["-r", "1"]);
    await heard(logs, [0, 1], "started");
    child.kill("SIGUSR1");
    await heard(logs, [0, 1], "got SIGUSR1");
    child.kill("SIGINT");
    await heard(logs, [0, 1], "SIGINT");
    child.kill("SIGTERM");
    expect((await ended).code).toBe(130);
    for (const rank of [0, 1]) expect(log(logs, rank)).toMatch(/got SIGUSR1 SIGINT\n$/);
  });

  it("lets the others end by themselves when one saved and ended because it was told to", async () => {
    const { ended, logs } = fixture.start({ "*": "wait" }, ["-r", "1", "--max-restarts", "3"]);
    await heard(logs, [0, 1], "started");
    process.kill(pidOf(logs, 0), "SIGTERM");
    process.kill(pidOf(logs, 1), "SIGTERM");
    expect(await ended).toMatchObject({ code: 143, stderr: "" });
    expect(log(logs, 1)).toMatch(/got SIGTERM\n$/);
  });

  it("leaves no process behind when it is killed itself", async () => {
    const { ended, logs, child } = fixture.start({ 0: "wait", 1: "stubborn" }, ["-r", "1"]);
    await heard(logs, [0, 1], "started");
    const pids = [pidOf(logs, 0), pidOf(logs, 1)];
    child.kill("SIGKILL");
    await ended;
    while (pids.some(isRunning)) await sleep(20);
    for (const rank of [0, 1]) expect(log(logs, rank)).toContain("got SIGTERM\n");
  });

  it("starts anew after a crash, with --resume for training, and not after a mistake", async () => {
    const died = fixture.start({ 1: "die SIGKILL|place" }, ["--max-restarts", "2"]);
    const { code, stderr } = await died.ended;
    expect(code).toBe(0);
    expect(stderr).toContain("Starting anew, 1 of at most 2 times.\n");
    expect(log(died.logs, 1, "stdout", 1)).toContain('"TORCHELASTIC_RESTART_COUNT":"1"');
    const often = fixture.start({ 1: "die SIGKILL" }, ["--max-restarts", "1"]);
    expect((await often.ended).code).toBe(137);
    expect(readdirSync(join(often.logs, "run")).sort()).toEqual(["attempt_0", "attempt_1"]);
    const training = fixture.start(
      { 1: "die SIGKILL|exit 0" },
      ["--max-restarts", "1"],
      {},
      [],
      ["pretrain"],
    );
    expect((await training.ended).code).toBe(0);
    expect(log(training.logs, 1)).toMatch(/started pretrain\n/);
    expect(log(training.logs, 1, "stdout", 1)).toMatch(/started pretrain --resume\n/);
    const mistaken = fixture.start({ 1: "exit 2" }, ["--max-restarts", "2"]);
    expect((await mistaken.ended).code).toBe(2);
    expect(readdirSync(join(mistaken.logs, "run"))).toEqual(["attempt_0"]);
  });

  it("runs a command of the program, and shows its error", async () => {
    const stats = fixture.wav2vec2([
      "--nproc-per-node",
      "2",
      "--",
      "data",
      "stats",
      join(fixture.directory, "none"),
    ]);
    const { code, stderr } = await stats.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/Rank [01] failed first .*: it exited with 1\.\n {4}\S+none must be a directory/);
    const usage = fixture.wav2vec2(["--nproc-per-node", "1", "data", "stats", "--no-such-option"]);
    expect(await usage.ended).toMatchObject({ code: 2, stderr: expect.stringContaining("unknown option") });
  });

  it("refuses what is not possible before it starts anything", async () => {
    await writeFile(join(fixture.directory, "fsdp.yaml"), "distributed_type: FSDP\nnum_processes: 8\n");
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
      [
        ["--log-dir", "/proc/none", "--", "doctor"],
        /--log-dir must be one that can be written, but is \/proc\/none/,
      ],
    ] as const) {
      const { code, stderr } = await fixture.wav2vec2(args, { CUDA_VISIBLE_DEVICES: "" }).ended;
      expect([code, stderr]).toEqual([args[0] === "--log-dir" ? 1 : 2, expect.stringMatching(message)]);
    }
  });
});
