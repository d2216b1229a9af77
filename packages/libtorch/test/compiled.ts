import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bridgePath } from "../setup/places.mjs";

/**
 * Compiles this package's sources into `directory`, for tests that run them in processes and threads of their own. Beside it
 * set-up gets its place, as in the package.
 */
export function compileInto(directory: string): void {
  mkdirSync(directory, { recursive: true });
  const setup = join(directory, "../setup");
  if (!existsSync(setup)) symlinkSync(fileURLToPath(new URL("../setup", import.meta.url)), setup);
  writeFileSync(join(directory, "package.json"), '{ "type": "module" }');
  const root = new URL("../../../", import.meta.url);
  const options =
    "--composite false --incremental false --declaration false --declarationMap false --sourceMap false";
  execFileSync(process.execPath, [
    fileURLToPath(new URL("node_modules/typescript/bin/tsc", root)),
    ...["-p", fileURLToPath(new URL("packages/libtorch/tsconfig.json", root)), "--outDir", directory],
    ...["--tsBuildInfoFile", "null", ...options.split(" ")],
  ]);
}

/** The environment for such a process: the same bridge as this one's. */
export const environment = { ...process.env, LIBTORCH_BRIDGE: bridgePath() };
