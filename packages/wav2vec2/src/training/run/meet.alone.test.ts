import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { temporaryDirectory } from "../../../test/fixtures/temporary-directory.js";
import { ALONE, type World } from "../../distributed/world.js";
import { combineTrackers, QUIET } from "../../tracking/tracker.js";
import { resolveRecipe } from "../recipe/recipe.js";
import { withRun } from "./training-run.js";

vi.mock("@wav2vec2/libtorch", async (original) => ({
  ...(await original<typeof import("@wav2vec2/libtorch")>()),
  gpus: () => ({ cudaBuild: true, cudaDevices: 4, mps: false }),
}));

process.stdin.isTTY = false; // in a terminal SLURM's variables mean nothing
afterEach(() => {
  vi.unstubAllEnvs();
});

/** What a run says before it reads anything. */
async function notesOf(world?: World): Promise<string[]> {
  const notes: string[] = [];
  const tracker = combineTrackers([{ ...QUIET, note: (text) => void notes.push(text) }]);
  const output = join(await temporaryDirectory("run"), "new");
  const recipe = resolveRecipe({ output, device: "cpu", data: { root: "corpus" } });
  const options = { resume: false, signal: new AbortController().signal, tracker, world };
  await withRun(recipe, options, async () => ({ interrupted: false }));
  return notes;
}

describe("a run that srun started", () => {
  it("says where it is one task on a host of several GPUs", async () => {
    const task = { SLURM_STEP_ID: "0", SLURM_STEP_NUM_TASKS: "1", SLURM_PROCID: "0", SLURM_LOCALID: "0" };
    for (const [name, value] of Object.entries(task)) vi.stubEnv(name, value);
    expect(await notesOf()).toEqual([
      "srun started 1 task on this host, which uses as many of its 4 visible GPUs. Pass --ntasks-per-node 4 to srun, or let one task a host run wav2vec2 launch.",
    ]);
    expect(await notesOf(ALONE)).toEqual([]); // its caller has placed it
  });
});
