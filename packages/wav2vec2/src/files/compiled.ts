import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Threads cannot run TypeScript: where the sources are run, by the tests, their compiled copy is taken. */
export function compiled(module: URL): string {
  const path = fileURLToPath(module);
  return existsSync(path) ? path : path.replace(/([\\/])src(?=[\\/](?!.*[\\/]src[\\/]))/, "$1dist");
}
