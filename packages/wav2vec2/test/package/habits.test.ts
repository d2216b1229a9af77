import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { fill, mounted } from "../fixtures/small-disk.js";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";
import { PROGRAM } from "../training/training-process.js";

const root = realpathSync(mkdtempSync(join(tmpdir(), "habits-")));
const corpus = join(root, "corpus");
const isRoot = process.getuid?.() === 0;

beforeAll(async () => {
  await writeToneCorpus(corpus, { train: 4, dev: 2 });
  chmodSync(root, 0o755);
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Runs a shell's command line, in which $W is the program, in the test's directory. */
function shell(line: string, env: NodeJS.ProcessEnv = {}) {
  const W = `${process.execPath} ${PROGRAM}`;
  const { status, stdout, stderr } = spawnSync("bash", ["-c", line.replaceAll("$W", W)], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, WAV2VEC2_CACHE: join(root, "cache"), ...env },
  });
  return { status, stdout, stderr };
}

describe("where a result is written", () => {
  it("- is standard output, and what else is printed goes to stderr", () => {
    const drawn = shell("$W data stats corpus --split dev --svg -");
    expect(drawn.stdout).toMatch(/^<svg .*<\/svg>\n?$/s);
    expect(drawn).toMatchObject({ status: 0, stderr: expect.stringContaining("utterances") });
    expect(shell("$W data stats corpus --split dev --svg - | head -c 4")).toMatchObject({
      status: 0,
      stdout: "<svg",
    });
    expect(shell("$W data stats corpus --split dev --svg - > drawn.svg").stdout).toBe("");
    expect(readFileSync(join(root, "drawn.svg"), "utf8")).toMatch(/^<svg /);
    expect(existsSync(join(root, "-"))).toBe(false);
    const refused = shell("$W data unpack corpus --to -");
    expect(refused).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("one that is called - is ./-"),
    });
  });

  it("a device, a pipe and a link stay what they are", () => {
    if (isRoot) {
      // Another one than the system's: a fault would take that away from everybody.
      execFileSync("mknod", ["-m", "666", join(root, "null"), "c", "1", "3"]);
      expect(shell("$W data stats corpus --split dev --svg null").status).toBe(0);
      expect(statSync(join(root, "null")).isCharacterDevice()).toBe(true);
    }
    execFileSync("mkfifo", [join(root, "pipe")]);
    const piped = shell(
      "cat pipe > from-pipe & $W data stats corpus --split dev --svg pipe > /dev/null; wait",
    );
    expect(piped.status).toBe(0);
    expect(readFileSync(join(root, "from-pipe"), "utf8")).toMatch(/^<svg /);
    writeFileSync(join(root, "target.svg"), "before");
    symlinkSync("target.svg", join(root, "link.svg"));
    expect(shell("$W data stats corpus --split dev --svg link.svg").status).toBe(0);
    expect(readFileSync(join(root, "target.svg"), "utf8")).toMatch(/^<svg /);
    expect(realpathSync(join(root, "link.svg"))).toBe(join(root, "target.svg"));
  });

  it("a full disk is said as that", async () => {
    const disk = join(root, "disk");
    if (!mounted(disk)) return;
    try {
      fill(join(disk, "filler"));
      const recipe = join(root, "tiny.yaml");
      writeFileSync(recipe, `model: ${JSON.stringify(TINY_MODEL)}\n`);
      const run = "--max-steps 1 --threads 1 --tracking none --data corpus --output disk/run";
      const { status, stderr } = shell(`$W finetune --config tiny.yaml ${run}`);
      expect(stderr).toMatch(/must be .*, but the disk is full\./);
      expect(stderr).not.toContain("ENOSPC");
      expect(status).toBe(1);
    } finally {
      execFileSync("umount", ["-l", disk]);
    }
  });
});

describe.skipIf(!isRoot)("other users", () => {
  const USER = "setpriv --reuid 23456 --regid 23456 --clear-groups";

  it("one whom the system does not know, without a home directory", () => {
    for (const home of ["-u HOME", "HOME="])
      expect(shell(`${USER} env -u WAV2VEC2_CACHE ${home} $W data stats corpus --split dev`)).toMatchObject({
        status: 0,
        stderr: "",
      });
    expect(existsSync(join(root, ".cache"))).toBe(false);
  });

  it("one who may not write there", () => {
    mkdirSync(join(root, "closed"), { mode: 0o555 });
    const { status, stderr } = shell(`${USER} $W data download dev-clean --to closed/data`);
    expect(stderr).toBe(
      "closed/data must be a directory that can be made, but this user may not. Name another place.\n",
    );
    expect(status).toBe(1);
  });
});

describe("names", () => {
  it("those that begin with - stand behind --, which is said", () => {
    writeFileSync(join(root, "-dash.txt"), "ONE TWO\n");
    const refused = shell("$W lm build -dash.txt --output x.lm");
    expect(refused.stderr).toContain(
      "unknown option '-dash.txt'\nWhat begins with - and is no option must stand behind --, and the options before it.",
    );
    expect(shell("$W lm build --bad --output x.lm").stderr).not.toContain("must stand behind");
    expect(shell("$W lm build --order 1 --discount-fallback --output x.lm -- -dash.txt").status).toBe(0);
  });

  it("of any characters, in any locale", () => {
    const names = ["größe 日本", "new\nline", "a'b\"c$x", "-dash"];
    mkdirSync(join(root, "names/train"), { recursive: true });
    for (const [i, name] of names.entries()) {
      writeFileSync(
        join(root, "names/train", `${name}.flac`),
        encodeFlac(new Int16Array(800 + i).fill(3), 16000),
      );
      writeFileSync(join(root, "names/train", `${name}.txt`), "A");
    }
    const { stdout, status } = shell("$W data check names --json --headers-only", { LC_ALL: "C", LANG: "C" });
    expect([status, JSON.parse(stdout)]).toEqual([0, { utterances: 4, problems: [], remarks: [] }]);
    copyFileSync(join(root, "names/train/-dash.flac"), join(root, "lone.flac"));
    expect(shell("$W data check lone.flac").stderr).toContain(
      "It is a recording: give the directory that it lies in, .",
    );
  });
});
