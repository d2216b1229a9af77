import { existsSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

const CHECKOUT = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");

/** Whether this package lies in a checkout, which has set-up, and is no copy without it. */
export function isInCheckout(checkout = CHECKOUT): boolean {
  return existsSync(`${checkout}/scripts/setup.mjs`);
}

/**
 * The command of set-up as it works where the user is: a script of the checkout, to which other projects have links alone.
 *
 * @param libtorch what set-up is to take, such as `cuda`
 * @param from the user's directory
 * @param checkout where this package lies
 */
export function setupCommand(libtorch?: string, from = process.cwd(), checkout = CHECKOUT): string {
  const isElsewhere = relative(checkout, from) !== "" && isInCheckout(checkout);
  const place = /^[\w/.@:+-]+$/.test(checkout) ? checkout : `"${checkout}"`;
  const script = `npm ${isElsewhere ? `--prefix ${place} ` : ""}run setup`;
  return libtorch === undefined ? script : `${script} -- --libtorch ${libtorch}`;
}
