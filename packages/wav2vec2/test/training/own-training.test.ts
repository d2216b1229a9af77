import { readdirSync } from "node:fs";
import { copyFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LaunchFixture, log } from "../distributed/launch-fixture.js";
import { writeToneCorpus } from "../fixtures/tone-corpus.js";
import { rowsOf } from "./training-process.js";

// A script of a user's own, as it stands, in one process and launched in two.

let fixture: LaunchFixture;
beforeAll(async () => {
  fixture = await LaunchFixture.make();
  await writeToneCorpus(join(fixture.directory, "corpus"), { train: 16, dev: 4 });
  await symlink(
    fileURLToPath(new URL("../../../../node_modules", import.meta.url)),
    join(fixture.directory, "node_modules"),
  );
  await copyFile(
    fileURLToPath(new URL("./own-training.mjs", import.meta.url)),
    join(fixture.directory, "my-training.mjs"),
  );
});
afterAll(() => fixture.remove());

const at = (output: string) => join(fixture.directory, output);
const lossesOf = (output: string) =>
  rowsOf(at(output)).flatMap(({ step, loss, "eval/loss": held }) => [[step, loss ?? held]]);

describe("a launched script of one's own", () => {
  it("trains in two processes what it trains in one, and goes on", { timeout: 300_000 }, async () => {
    const start = async (processes: number, command: string[], accumulate: number) => {
      const args = ["--nproc-per-node", String(processes), "-r", "3", "--", ...command];
      const { ended, logs } = fixture.wav2vec2(args, { ACCUMULATE: String(accumulate) });
      const { code, stderr } = await ended;
      expect(stderr + log(logs, 0, "stderr")).not.toMatch(/Error/);
      expect(code).toBe(0);
      return log(logs, 0, "stdout");
    };
    await start(1, ["node", "my-training.mjs", "corpus", "one"], 2);
    const said = await start(2, ["my-training.mjs", "corpus", "two"], 1);
    expect(readdirSync(at("two"))).toEqual(
      expect.arrayContaining(["best", "checkpoints", "final", "metrics.jsonl", "recipe.yaml", "run.json"]),
    );
    const [one, two] = [lossesOf("one"), lossesOf("two")];
    expect(one.map(([step]) => step)).toEqual([1, 2, 2, 3, 4, 4]);
    expect(two.map(([step]) => step)).toEqual([1, 2, 2, 3, 4, 4]);
    for (const [place, [, loss]] of one.entries()) expect(two[place]![1]).toBeCloseTo(loss!, 4);
    expect(JSON.parse(said)).toMatchObject({ value: Math.min(two[2]![1]!, two[5]![1]!) });
    const again = await start(2, ["node", "my-training.mjs", "corpus", "two", "--resume"], 1);
    expect(JSON.parse(again)).toMatchObject(JSON.parse(said)); // nothing was left to do
    expect(lossesOf("two")).toEqual(two);
  });

  it("must be a script", async () => {
    const { code, stderr } = await fixture.wav2vec2(["--", "node", "--inspect", "x.mjs"]).ended;
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("node must be followed by a script, but is by --inspect"),
    ]);
  });
});
