#!/usr/bin/env node
import { existsSync } from "node:fs";
import module from "node:module";

module.enableCompileCache?.(); // of Node.js 22.8 and later: what was compiled once starts in three quarters of the time

const built = new URL("../dist/cli/program.js", import.meta.url);
if (existsSync(built)) {
  const { program } = await import(built.href);
  process.exitCode = await program(process.argv.slice(2));
} else {
  process.stderr.write("wav2vec2 is not built yet. Run `npm run setup` in the checkout.\n");
  process.exitCode = 1;
}
