import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LaunchFixture } from "../distributed/launch-fixture.js";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";

/**
 * A directory of launchers with `corpus` and `recipe.yaml`, by which a tiny network is fine-tuned on it.
 *
 * @param recipe what it says besides @param dev clips to validate on
 */
export async function trainingFixture(recipe: object, { dev = 3 } = {}): Promise<LaunchFixture> {
  const fixture = await LaunchFixture.make();
  await writeToneCorpus(join(fixture.directory, "corpus"), { train: 30, dev });
  const common = {
    model: TINY_MODEL,
    data: { batch_seconds: 4, root: "corpus" },
    threads: 1,
    logging_steps: 1,
  };
  await writeFile(join(fixture.directory, "recipe.yaml"), JSON.stringify({ ...common, ...recipe }));
  return fixture;
}
