import { createColors } from "picocolors";
import type { TerminalStream } from "./live-line.js";

/** Whether a line can be rewritten in place. */
export function isLive({ isTTY }: TerminalStream, env: NodeJS.ProcessEnv = process.env): boolean {
  return isTTY === true && env.TERM !== "dumb";
}

/** Colours where people want them: `NO_COLOR` and `FORCE_COLOR` decide before the terminal does. */
export function colorsOf(stream: TerminalStream, env: NodeJS.ProcessEnv = process.env) {
  const { NO_COLOR: no, FORCE_COLOR: force } = env;
  if (no) return createColors(false);
  if (force !== undefined && force !== "") return createColors(!["0", "false"].includes(force));
  return createColors(isLive(stream, env));
}

/** Without what rings, moves the cursor or changes colours: texts come from files and transcripts too. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what goes
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
}
