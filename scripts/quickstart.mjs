// From nothing to a model that recognises speech: set-up, a corpus of synthesised digits (or --data DIR), pre-training on
// its audio, fine-tuning on the transcripts of a part of it, the error rate on unseen sentences, three transcripts. Started
// again, it goes on where it was interrupted.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Report } from "../packages/libtorch/setup/report.mjs";
import { parseQuickstartOptions, USAGE } from "./quickstart/options.mjs";
import { shortTraining } from "./quickstart/short-training.mjs";
import { setup } from "./setup.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const STEPS = 6;
const SEED = 1;
const SHOWN_CLIPS = 3;
const INTERRUPTED = 130;

/** A command of the program ended with this exit code, after saying why. */
class CommandFailed extends Error {
  /** @param {number} exitCode */
  constructor(exitCode) {
    super(`ended with code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** Shows set-up's own numbered steps as notes of one step. */
class SetupNotes extends Report {
  /** @param {Report} outer */
  constructor(outer) {
    super(0, outer.stream);
    this.outer = outer;
  }

  /** @override @param {string} title */
  step(title) {
    this.title = title;
  }

  /** @override @param {string} text */
  note(text) {
    this.outer.note(text);
  }

  /** @override @param {string} text */
  done(text) {
    this.outer.note(`${this.title}: ${text}`);
  }

  /** @override @param {string} text */
  progress(text) {
    this.outer.progress(`${this.title}: ${text}`);
  }
}

/** @param {string[]} args */
async function main(args) {
  const options = parseQuickstartOptions(args);
  if (options.help) {
    process.stdout.write(USAGE);
    return;
  }
  const began = performance.now();
  const report = new Report(STEPS);
  report.step("Set-up");
  try {
    await setup({}, new SetupNotes(report));
    report.done("ready");
  } catch (error) {
    report.failure(error);
    process.exitCode = 1;
    return;
  }

  const { formatDuration } = await import("../packages/wav2vec2/dist/tracking/duration.js");
  const data = options.data ?? join(ROOT, "quickstart/corpus");
  report.step(options.data ? `Corpus in ${options.data}` : "Corpus: spoken digits in 34 synthetic voices");
  if (options.data === undefined) {
    const { makeCorpus } = await import("./quickstart/corpus.mjs");
    const start = performance.now();
    let first = 0;
    const { clips, made } = await makeCorpus(data, {
      seed: SEED,
      onProgress(done, total) {
        first ||= done;
        // The first clips are slow: each worker loads the synthesiser.
        const seconds = (performance.now() - start) / 1000;
        const left = formatDuration((seconds / (done - first + 1)) * (total - done));
        const known = done - first >= total / 20;
        report.progress(`${done} of ${total} clips, time left${known ? ` ${left}` : ": measuring"}`);
      },
    });
    report.done(made === 0 ? `${clips} clips, made before` : `${clips} clips`);
  }
  const { chooseSplits } = await import("./quickstart/splits.mjs");
  const splits = await chooseSplits(data, options.splits);
  report.note(`train on ${splits.train}, validate on ${splits.dev}, test on ${splits.test}`);
  if (splits.dev === splits.test) {
    report.note(
      "the model is chosen on the split it is tested on, so its error rate will look better than it is",
    );
  }

  const output = options.output ?? join(ROOT, "quickstart", runName(options.data));
  const [pretrained, finetuned] = ["pretrained", "finetuned"].map((name) => join(output, name));
  const training = [
    ...["--data", data, "--resume", "--data.train-split", splits.train, "--data.eval-split", splits.dev],
    ...options.recipe,
  ];
  const recipe = (/** @type {string} */ name) => ["--config", join(ROOT, "configs", name)];
  report.step("Pre-training on the audio alone");
  await wav2vec2(["pretrain", ...recipe("quickstart-pretrain.yaml"), "--output", pretrained, ...training]);

  report.step("Fine-tuning on the transcripts of a part of it");
  const init = ["--model", join(pretrained, "final")];
  await wav2vec2(["finetune", ...recipe("quickstart.yaml"), ...init, "--output", finetuned, ...training]);

  const model = join(finetuned, "best");
  report.step(`Error rate on ${splits.test}`);
  await wav2vec2(["evaluate", model, "--data", data, "--split", splits.test, "--worst", "3"]);

  report.step("Transcripts");
  await showTranscripts(model, data, splits.test);

  const here = (/** @type {string} */ path) => relative(process.cwd(), path) || ".";
  process.stdout.write(
    `
model   ${here(model)}
reports ${here(join(pretrained, "report.html"))} and ${here(join(finetuned, "report.html"))}
audio   ${here(data)}
Try it: npx wav2vec2 transcribe ${here(model)} FILE.flac
`,
  );
  const short = [pretrained, finetuned].map(shortTraining).find((remark) => remark !== undefined);
  if (short !== undefined) {
    const longer = "--max-minutes 60 --output quickstart/longer";
    process.stdout.write(`${short} Give it more: npm run quickstart -- ${longer}\n`);
  }
  process.stderr.write(`Done in ${formatDuration((performance.now() - began) / 1000)}.\n`);
}

/**
 * Each directory of data gets a run of its own, so that going on never mixes two.
 * @param {string | undefined} data
 */
function runName(data) {
  if (data === undefined) return "run";
  const path = resolve(data);
  return `run-${basename(path)}-${createHash("sha256").update(path).digest("hex").slice(0, 6)}`;
}

/**
 * Prints what the model hears in a few clips of different speakers below what was said.
 * @param {string} model
 * @param {string} data
 * @param {string} split
 */
async function showTranscripts(model, data, split) {
  const { readCorpus } = await import("../packages/wav2vec2/dist/data/corpus/corpus.js");
  const { utterances } = await readCorpus(data, split);
  const count = Math.min(SHOWN_CLIPS, utterances.length);
  const shown = Array.from({ length: count }, (_, index) => {
    const place = Math.floor(((index + 0.5) * utterances.length) / count);
    return utterances[place];
  });
  const output = await wav2vec2(["transcribe", model, ...shown.map(({ path }) => path), "--json"], {
    capture: true,
  });
  for (const [index, { text }] of JSON.parse(output).entries()) {
    process.stdout.write(`${shown[index].id}\n  reference   ${shown[index].text}\n  hypothesis  ${text}\n`);
  }
}

/**
 * Runs a command of the program with its progress on this terminal.
 * @param {string[]} args
 * @param {{ capture?: boolean }} [options] capture: stdout comes back instead of being shown
 * @returns {Promise<string>}
 */
async function wav2vec2(args, { capture = false } = {}) {
  const program = join(ROOT, "packages/wav2vec2/bin/wav2vec2.js");
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ["inherit", capture ? "pipe" : "inherit", "inherit"],
  });
  // Ctrl+C reaches the child too, which saves before it ends; this process waits for that.
  const wait = () => {};
  process.on("SIGINT", wait);
  const forward = () => child.kill("SIGTERM");
  process.on("SIGTERM", forward);
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text) => {
    output += text;
  });
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => resolve(status ?? (signal === "SIGINT" ? INTERRUPTED : 1)));
  });
  process.off("SIGINT", wait);
  process.off("SIGTERM", forward);
  if (code !== 0) throw new CommandFailed(code);
  return output;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    if (error instanceof CommandFailed) {
      process.exitCode = error.exitCode;
      if (error.exitCode === INTERRUPTED) process.stderr.write("The same command goes on from here.\n");
    } else if (
      error instanceof Error &&
      (error.name === "UserError" || error.name === "ConfigurationError")
    ) {
      process.stderr.write(`${error.message}\n`);
      process.exitCode = error.name === "ConfigurationError" ? 2 : 1;
    } else {
      throw error;
    }
  }
}
