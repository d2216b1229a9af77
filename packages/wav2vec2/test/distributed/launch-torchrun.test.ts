import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

// The program started by PyTorch's own launcher, as those who come from there start it. Needs a Python with torch, named by
// TRANSFORMERS_PYTHON; torchrun lies beside it.

const python = process.env.TRANSFORMERS_PYTHON;
const torchrun = python === undefined ? undefined : join(dirname(python), "torchrun");
const there = torchrun !== undefined && existsSync(torchrun);
const root = fileURLToPath(new URL("../../../..", import.meta.url));
const fake = fileURLToPath(new URL("./launch-program.mjs", import.meta.url));

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "torchrun-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function run(...command: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(torchrun!, ["--no-python", "--nproc-per-node", "2", "--standalone", ...command], {
    cwd: root,
    encoding: "utf8",
  });
}

describe.skipIf(!there)(
  `torchrun --no-python${there ? "" : " (TRANSFORMERS_PYTHON names no Python with torchrun)"}`,
  () => {
    it("shows the program's error", { timeout: 300_000 }, () => {
      const none = join(directory, "none");
      const { status, stderr } = run(
        "npx",
        "wav2vec2",
        "pretrain",
        "--data",
        none,
        "--output",
        join(directory, "run"),
      );
      expect(status).toBe(1);
      expect(stderr).toMatch(
        new RegExp(`Root Cause[\\s\\S]*exitcode +: 1[\\s\\S]*traceback : ${none} must be a`),
      );
      expect(stderr).not.toContain("To enable traceback see");
    });

    it("gives processes that meet in the store of its agent", { timeout: 300_000 }, () => {
      const { status, stdout } = run(process.execPath, fake, '{"*":"meet"}');
      expect(status).toBe(0);
      expect(stdout.match(/met 2/g)).toHaveLength(2);
    });
  },
);
