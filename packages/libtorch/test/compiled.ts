import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bridgePath } from "../setup/places.mjs";

/** Compiles this package's sources into `directory`, for tests that run them in processes and threads of their own. */
export function compileInto(directory: string): void {
  mkdirSync(directory, { recursive: true });
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
