#!/usr/bin/env node
import { existsSync } from "node:fs";

const built = new URL("../dist/cli/", import.meta.url);
if (existsSync(built)) {
  const { handleClosedPipes } = await import(new URL("closed-pipe.js", built).href);
  handleClosedPipes();
  const { endAtUserSignal, goOnUnderNohup } = await import(new URL("interruption.js", built).href);
  endAtUserSignal();
  goOnUnderNohup();
  const { main } = await import(new URL("main.js", built).href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  process.stderr.write("wav2vec2 is not built yet. Run `npm run setup` in the checkout.\n");
  process.exitCode = 1;
}
