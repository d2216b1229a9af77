import { differences, shown } from "../differences.js";
import { ConfigurationError } from "../errors.js";
import type { World } from "./world.js";

/** Things that must be the same in all processes, by the name that a message gives them. JSON's values. */
export type Agreement = Readonly<Record<string, unknown>>;

/**
 * Makes sure that all processes are about to do the same: with another recipe or other data in one of them they would wait
 * for each other for ever, or train on a mixture.
 *
 * @throws ConfigurationError in all processes, naming the first difference
 */
export async function requireAgreement(world: World, own: Agreement): Promise<void> {
  const all = await world.gather(own);
  const first = all[0]!;
  for (const [rank, other] of all.entries()) {
    const [difference] = differences(first, other);
    if (difference === undefined) continue;
    throw new ConfigurationError(
      `${difference.key} must be the same in all processes, but is ${shown(difference.other)} in rank ${rank} and ` +
        `${shown(difference.one)} in rank 0. Start all processes with the same command, program and files.`,
    );
  }
}
