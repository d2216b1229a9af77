import { ConfigurationError } from "../../../errors.js";

export interface Streams {
  stdout: boolean;
  stderr: boolean;
}

/** Which streams of a local rank are meant. */
export type StreamChoice = (localRank: number) => Streams;

/**
 * Reads torchrun's way to choose streams: 0 none, 1 stdout, 2 stderr, 3 both, for all processes or for some, as `0:1,2:3`.
 *
 * @throws ConfigurationError where it is something else
 */
export function parseStreams(text: string, from: string, localSize: number): StreamChoice {
  const wrong = (): never => {
    throw new ConfigurationError(
      `${from} must be 0, 1, 2 or 3, or such a number for some of the ${localSize} processes, as 0:1,1:3, but is '${text}'.`,
    );
  };
  if (/^[0-3]$/.test(text)) return () => streams(Number(text));
  const chosen = new Map<number, number>();
  for (const part of text.split(",")) {
    const [, rank, which] = /^\s*(\d+):([0-3])\s*$/.exec(part) ?? wrong();
    if (Number(rank) >= localSize) wrong();
    chosen.set(Number(rank), Number(which));
  }
  return (localRank) => streams(chosen.get(localRank) ?? 0);
}

function streams(which: number): Streams {
  return { stdout: (which & 1) !== 0, stderr: (which & 2) !== 0 };
}
