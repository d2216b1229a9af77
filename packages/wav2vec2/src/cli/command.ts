import { type Command, InvalidArgumentError, Option } from "commander";
import { DEVICE_PATTERN, DEVICES } from "../device-name.js";
import { STDOUT } from "../files/atomic/atomic-file.js";
import { WANTED_PRECISIONS } from "../precision/precision-names.js";
import { isLive } from "../tracking/sinks/terminal-style.js";

/** What a command gets besides its own `Command`. */
export interface CommandContext {
  /** All arguments of the program, the command's name first. */
  argv: readonly string[];
  /** Sets the exit code for when the command has finished. */
  exit(code: number): void;
}

/** Adds arguments, options and action to a command that has its name and description already. */
export type Define = (command: Command, context: CommandContext) => void;

/** Where results are printed: beside a file that is standard output itself they would be in it. */
let results: NodeJS.WriteStream = process.stdout;

export function printJson(value: unknown): void {
  results.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

export function print(text: string): void {
  results.write(`${text}\n`);
}

export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Rewrites one line of stderr; does nothing where stderr is no terminal that can. */
export function showProgress(text: string): void {
  if (isLive(process.stderr)) process.stderr.write(`\r\x1b[2K${text}`);
}

/** Reads an option's value. */
export function positiveWhole(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number above 0, in at most 15 digits.");
}

/** Reads an option's value. */
export function whole(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number, in at most 15 digits.");
}

/** Reads an option's value. */
export function portNumber(text: string): number {
  const port = whole(text);
  if (port <= 65535) return port;
  throw new InvalidArgumentError("It must be at most 65535.");
}

/** Reads the name of a file that is written: - is standard output, and all else that is printed goes to stderr then. */
export function outputFile(name: string): string {
  if (name !== "-" && name !== STDOUT) return name;
  results = process.stderr;
  return STDOUT;
}

/** Reads the name of a directory, or of a file by its ending, that is written. */
export function outputDirectory(name: string): string {
  if (name !== "-") return name;
  throw new InvalidArgumentError("It must be the name of a file or directory; one that is called - is ./-");
}

/** Reads an option's value: no more than libtorch takes. */
export function threadCount(text: string): number {
  const count = positiveWhole(text);
  if (count <= 1024) return count;
  throw new InvalidArgumentError("It must be at most 1024.");
}

/** Gives `--threads` to a command that runs a network without training it. */
export function addThreadsOption(command: Command): Command {
  return command
    .option("--threads <number>", "CPU threads of the network (default: one a core)", threadCount)
    .hook("preAction", async () => {
      const { threads, engine } = command.opts<{ threads?: number; engine?: string }>();
      // Commands that have engines set it for the one that they take.
      if (threads !== undefined && engine === undefined)
        (await import("@wav2vec2/libtorch")).setThreads(threads);
    });
}

/** Reads an option's value. */
function deviceName(text: string): string {
  if (DEVICE_PATTERN.test(text)) return text;
  throw new InvalidArgumentError(`It must be ${DEVICES}.`);
}

/** Gives `--device` to a command that runs a network without training it. */
export function addDeviceOption(command: Command): Command {
  return command.option(
    "--device <name>",
    `where the network computes: ${DEVICES} (default: auto, an NVIDIA GPU where libtorch finds one)`,
    deviceName,
  );
}

/** Gives `--precision` to a command that runs a network without training it. */
export function addPrecisionOption(command: Command): Command {
  return command.addOption(
    new Option(
      "--precision <name>",
      "number format of matrix products and convolutions; auto takes bfloat16 where it is measured to be faster (default: float32)",
    ).choices(WANTED_PRECISIONS),
  );
}

/** Reads an option's value. */
export function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("It must be a number above 0.");
}

/** Reads an option's value. */
export function notNegative(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("It must be a number of at least 0.");
}
