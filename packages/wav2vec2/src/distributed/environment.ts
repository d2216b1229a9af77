import { ConfigurationError } from "../errors.js";

/** Variables of a process, `process.env` or a table in a test. An empty one counts as missing. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The value of a variable, without space around it; undefined where it is missing or empty. */
export function textOf(env: Environment, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}

/**
 * The whole number in a variable, undefined where it is missing.
 *
 * @throws ConfigurationError where it is something else or out of range
 */
export function wholeOf(
  env: Environment,
  name: string,
  { least = 0, most = 2 ** 31 - 1 } = {},
): number | undefined {
  const text = textOf(env, name);
  if (text === undefined) return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new ConfigurationError(
    `${name} must be a whole number from ${least} to ${most}, but is '${text}'. What starts the processes sets it; unset it for a run of one process.`,
  );
}

/** @throws ConfigurationError where `rank` is not below `size` */
export function checkRank(rank: number, rankName: string, size: number, sizeName: string): void {
  if (rank < size) return;
  throw new ConfigurationError(
    `${rankName} must be below ${sizeName}, but is ${rank} of ${size}. Ranks count from 0: give the ${size} processes ${size === 1 ? "the rank 0" : `the ranks 0 to ${size - 1}`}.`,
  );
}

/** What `MASTER_PORT` says; torchrun's own default without it. */
export function masterPort(env: Environment, fallback = DEFAULT_PORT): number {
  return wholeOf(env, "MASTER_PORT", { least: 1, most: 65_535 }) ?? fallback;
}

/** torchrun's port for rank 0, where nothing gives another. */
export const DEFAULT_PORT = 29_500;

/** This host, for processes that all run on it. */
export const LOOPBACK = "127.0.0.1";

/**
 * Where rank 0 is reached: what `MASTER_ADDR` says, or this host where all processes run on it.
 *
 * @throws ConfigurationError where there are several hosts and nobody says which one is rank 0's
 */
export function masterAddress(env: Environment, nodes: number): string {
  const given = textOf(env, "MASTER_ADDR");
  if (given !== undefined) return given;
  if (nodes === 1) return LOOPBACK;
  throw new ConfigurationError(
    `MASTER_ADDR must be given where ${nodes} hosts train together, but is missing. Set it to the name or address of rank 0's host on all of them, and MASTER_PORT to a free port of that host.`,
  );
}
