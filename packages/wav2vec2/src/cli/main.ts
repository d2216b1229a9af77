import { existsSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { writeErrorFile } from "../distributed/launch/error-file.js";
import { watchParent } from "../distributed/launch/parent-watch.js";
import { ConfigurationError, UserError } from "../errors.js";
import { exitCodes } from "../exit-codes.js";
import { fullDiskReason, reasonOf } from "../files/atomic/atomic-file.js";
import { version } from "../version.js";
import { capitalized, type Define } from "./command.js";
import { helpConfiguration } from "./help.js";
import { interruptedExitCode } from "./interruption.js";
import { meantOptions } from "./meant-options.js";

// Only the module of the command that runs is loaded, so that --help is quick and doctor works where the bridge
// to libtorch does not load.
const commands: { name: string; summary: string; load: () => Promise<Define> }[] = [
  {
    name: "doctor",
    summary: "what is installed and found, and what to do about what is missing",
    load: async () => (await import("./deployment/doctor.js")).defineDoctor,
  },
  {
    name: "setup",
    summary: "libtorch and the bridge to it: fetched or built, once on a machine",
    load: async () => (await import("./deployment/setup.js")).defineSetup,
  },
  {
    name: "data",
    summary: "speech to train on: download, unpack, check, stats",
    load: async () => (await import("./data/data.js")).defineData,
  },
  {
    name: "pretrain",
    summary: "learn from unlabelled speech (self-supervised)",
    load: async () => (await import("./training/pretrain.js")).definePretrain,
  },
  {
    name: "finetune",
    summary: "train speech recognition with CTC, or a classification head",
    load: async () => (await import("./training/finetune.js")).defineFinetune,
  },
  {
    name: "dashboard",
    summary: "see runs in the browser, live or finished",
    load: async () => (await import("./training/dashboard.js")).defineDashboard,
  },
  {
    name: "launch",
    summary: "run a command in several processes, on one host or many",
    load: async () => (await import("./training/launch.js")).defineLaunch,
  },
  {
    name: "bench",
    summary: "what a step of a recipe costs here, and how long it will take",
    load: async () => (await import("./training/bench.js")).defineBench,
  },
  {
    name: "report",
    summary: "training runs as one page: a run, or several compared",
    load: async () => (await import("./training/report.js")).defineReport,
  },
  {
    name: "evaluate",
    summary: "error rates of a recogniser on a split, accuracy of a classifier",
    load: async () => (await import("./recognition/evaluate.js")).defineEvaluate,
  },
  {
    name: "compare",
    summary: "two models on the same data: which is better, and is it chance",
    load: async () => (await import("./recognition/compare.js")).defineCompare,
  },
  {
    name: "transcribe",
    summary: "speech to text",
    load: async () => (await import("./recognition/transcribe.js")).defineTranscribe,
  },
  {
    name: "serve",
    summary: "speech to text over HTTP and WebSockets, as OpenAI's clients ask for it",
    load: async () => (await import("./deployment/serve.js")).defineServe,
  },
  {
    name: "classify",
    summary: "labels of recordings: a keyword, a speaker, or what is there when",
    load: async () => (await import("./recognition/classify.js")).defineClassify,
  },
  {
    name: "align",
    summary: "where in a recording the words of its text are",
    load: async () => (await import("./recognition/align.js")).defineAlign,
  },
  {
    name: "export",
    summary: "a recogniser for other programs: ONNX, compared before it is written",
    load: async () => (await import("./deployment/export.js")).defineExport,
  },
  {
    name: "page",
    summary: "a web page that recognises speech in the browser, for any web server",
    load: async () => (await import("./deployment/page.js")).definePage,
  },
  {
    name: "lm",
    summary: "language models: build, compile, info, perplexity, tune",
    load: async () => (await import("./language-model/lm.js")).defineLm,
  },
  {
    name: "codes",
    summary: "speech to the codes of a pre-trained model's codebooks",
    load: async () => (await import("./recognition/codes.js")).defineCodes,
  },
];

/**
 * Runs the program with its arguments (without node and the script) and returns the exit code: 0 done, 1 failed,
 * 2 wrong usage or configuration, 130 interrupted by Ctrl+C after saving, 143 by SIGTERM, and so on, 200 other processes of
 * the run are lost.
 */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = exitCodes.done;
  watchParent(process.env);
  const chosen = argv[0] === "help" ? argv[1] : argv[0];
  const program: Command = new Command("wav2vec2")
    .description("wav2vec 2.0: train and run speech recognition.")
    .version(version(), "--version", "print the version")
    .configureHelp(helpConfiguration)
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .showHelpAfterError("Add --help for what is possible.")
    .configureOutput({ outputError: (text, write) => write(withAdvice(text, commandOf(program, chosen))) })
    .exitOverride();
  for (const { name, summary, load } of commands) {
    const command = program
      .command(name)
      .description(`${capitalized(summary)}.`)
      .summary(summary);
    if (name !== chosen) continue;
    const define = await load();
    define(command, {
      argv,
      exit: (code) => {
        exitCode = code === exitCodes.interrupted ? interruptedExitCode() : code;
      },
    });
  }
  try {
    await program.parseAsync(argv.length > 0 ? argv : ["--help"], { from: "user" });
    return exitCode;
  } catch (error) {
    return report(error);
  }
}

function commandOf(program: Command, chosen: string | undefined): Command | undefined {
  return program.commands.find((one) => one.name() === chosen);
}

/** Those that its help lists. */
function optionsOf(command: Command | undefined): string[] {
  return (command?.options ?? []).flatMap(({ long, hidden }) => (long && !hidden ? [long] : []));
}

/** What is said behind an option that there is not. */
function withAdvice(error: string, command: Command | undefined): string {
  const [, option] = /^error: unknown option '([^\n]*)'$/m.exec(error) ?? [];
  const advice = option === undefined ? undefined : adviceOn(option, command);
  if (advice === undefined) return error;
  // Commander's own guess goes by letters alone.
  return error.replace(
    /^(error: unknown option .*)(\n\(Did you mean .*\))?$/m,
    (_, line) => `${line}\n${advice}`,
  );
}

/**
 * A text or file that begins with - looks like an option; what a command is told without one, such as its model, has one in
 * other programs; an option of a recipe has a longer name than people remember.
 */
function adviceOn(option: string, command: Command | undefined): string | undefined {
  if (/\s/.test(option) || existsSync(option))
    return "What begins with - and is no option must stand behind --, and the options before it.";
  const name = option.replace(/^--|=.*/gs, "");
  if (command?.registeredArguments.some((argument) => argument.name() === name))
    return `The ${name} is named without an option: wav2vec2 ${command.name()} ${command.usage()}`;
  const [meant, ...others] = meantOptions(option, optionsOf(command));
  if (meant === undefined) return undefined;
  return `(Did you mean ${others.length > 0 ? `one of ${[meant, ...others].join(", ")}` : meant}?)`;
}

/** Says on stderr, and to the launcher of this process, what went wrong and returns the exit code for it. */
function report(error: unknown): number {
  const { text, exitCode } = explain(error);
  const { TORCHELASTIC_ERROR_FILE: path } = process.env;
  if (path && exitCode !== exitCodes.done) {
    const name = error instanceof Error ? error.name : "Error";
    const message = error instanceof Error ? error.message : String(error);
    writeErrorFile(path, {
      message: `${name}: ${message}`,
      detail: text ?? message,
      time: Date.now(),
      exitCode,
    });
  }
  if (text) process.stderr.write(`${text}\n`);
  return exitCode;
}

/** What to print about an error, nothing where that is done, and the exit code for it. */
function explain(error: unknown): { text?: string; exitCode: number } {
  // commander has printed its own message.
  if (error instanceof CommanderError)
    return { exitCode: error.exitCode === 0 ? exitCodes.done : exitCodes.usage };
  if (isDisconnection(error)) return { text: error.message, exitCode: exitCodes.disconnected };
  if (error instanceof UserError)
    return {
      text: error.message,
      exitCode: error instanceof ConfigurationError ? exitCodes.usage : exitCodes.failed,
    };
  if (isOfTheSystem(error)) return { text: textOfSystem(error as Error), exitCode: exitCodes.failed };
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    text: `${detail}\nThis is a fault in wav2vec2, not in what you did. Please report the lines above together with the output of 'wav2vec2 doctor'.`,
    exitCode: exitCodes.failed,
  };
}

/** Whether other processes are gone or do not answer. The bridge is not loaded for it: its error is known by its name. */
function isDisconnection(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return error.name === "DistributedError" || (error instanceof UserError && isDisconnection(error.cause));
}

function textOfSystem(error: NodeJS.ErrnoException): string {
  const reason = fullDiskReason(error);
  if (reason !== undefined)
    return `${error.path ?? "A file"} must be written, but ${reason}. Make room, or name a place on another disk.`;
  if (error.syscall !== "mkdir" || error.path === undefined) return error.message;
  return `${error.path} must be a directory that can be made, but ${reasonOf(error)}. Name another place.`;
}

/** A full disk, a directory without permission, a bridge that is not built: nothing to report. */
function isOfTheSystem(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && "syscall" in error) || ["BridgeError", "TensorFileError"].includes(error.name);
}
