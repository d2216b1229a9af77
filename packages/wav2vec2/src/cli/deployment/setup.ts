import { CHOICES, Report, SetupError, setUpLibtorch } from "@wav2vec2/libtorch/set-up";
import { exitCodes } from "../../exit-codes.js";
import type { Define } from "../command.js";

const STEPS = 4;

export const defineSetup: Define = (command, { exit }) => {
  command
    .option("--libtorch <which>", "auto, wheel, cuda, system, or a directory")
    .addHelpText(
      "after",
      `
Finds libtorch or fetches it into the cache that all projects share (WAV2VEC2_CACHE, else XDG_CACHE_HOME, else ~/.cache), takes
the compiled bridge to it or builds one, and checks what it computes. Needed once on a machine; nothing is written into the
project. A copy of that cache serves a machine without network.

${CHOICES}`,
    )
    .action(async ({ libtorch }: { libtorch?: string }) => {
      const report = new Report(STEPS);
      try {
        await setUpLibtorch({ libtorch, report });
      } catch (error) {
        if (!(error instanceof SetupError)) throw error;
        report.failure(error);
        exit(exitCodes.failed);
      }
    });
};
