#!/usr/bin/env node
import { existsSync } from "node:fs";

// `wav2vec2 … | head` closes stdout early; that is no fault.
process.stdout.on("error", (error) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

// Nobody reads what is said any more; hours of training do not end for that.
process.stderr.on("error", (error) => {
  if (error.code !== "EPIPE") throw error;
});

const built = new URL("../dist/cli/main.js", import.meta.url);
if (existsSync(built)) {
  const { main } = await import(built.href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  process.stderr.write("wav2vec2 is not built yet. Run `npm run setup` in the checkout.\n");
  process.exitCode = 1;
}
