import { nearest } from "@wav2vec2/libtorch/nearest";
import { describeType, describeValue } from "./describe-type.js";
import { ConfigurationError, wrongType } from "./errors.js";

/** What an argument or an option may be. */
export interface Kind {
  /** Behind "must be". */
  must: string;
  holds(value: unknown): boolean;
  /** Whether a value that is none is of its type nevertheless, such as a number out of range. Default: never */
  isOfType?(value: unknown): boolean;
  /** What to do about a value that is none: a sentence. */
  advice?(value: unknown): string | undefined;
}

/**
 * Refuses what plain JavaScript may pass in place of an argument, before it fails far from its cause.
 *
 * @param of the function's name, for the message
 * @param given by name: each value, and what it must be
 * @throws TypeError naming the argument, and what to do; ConfigurationError where the value is of the right type, but out of
 * range
 */
export function requireArguments(
  of: string,
  given: Readonly<Record<string, readonly [value: unknown, kind: Kind]>>,
): void {
  for (const [name, [value, kind]] of Object.entries(given)) {
    if (kind.holds(value)) continue;
    const message = refusal(`${name} of ${of}`, value, kind);
    throw kind.isOfType?.(value) ? new ConfigurationError(message) : wrongType(message);
  }
}

/**
 * The same of what an object of options holds.
 *
 * @throws ConfigurationError "NAME must be A, but is B. Do C."
 */
export function requireKind(name: string, value: unknown, kind: Kind): void {
  if (!kind.holds(value)) throw new ConfigurationError(refusal(name, value, kind));
}

function refusal(name: string, value: unknown, { must, advice }: Kind): string {
  const meant = value instanceof Promise ? "Await it." : advice?.(value);
  return `${name} must be ${must}, but is ${describeValue(value)}.${meant === undefined ? "" : ` ${meant}`}`;
}

/** The same where nothing may be given. */
export function optional(kind: Kind): Kind {
  return { ...kind, holds: (value) => value === undefined || kind.holds(value) };
}

/** A model in memory, or where one is. */
export function orName(kind: Kind): Kind {
  return {
    ...kind,
    must: `a model directory, a Hub id, or ${kind.must}`,
    holds: (value) => isText(value) || kind.holds(value),
  };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

const isText = (value: unknown) => typeof value === "string";
const isNumber = (value: unknown) => typeof value === "number";

export const TEXT: Kind = { must: "a string", holds: isText };

/** Of the file system. */
export const PATH: Kind = {
  must: "a path",
  holds: (value) => typeof value === "string" && value !== "" && !value.includes("\0"),
  isOfType: isText,
  advice: (value) => (value instanceof URL ? "Give fileURLToPath(…) of it." : "Give it as a string."),
};

export const FUNCTION: Kind = { must: "a function", holds: (value) => typeof value === "function" };

export const BOOLEAN: Kind = {
  must: "true or false",
  holds: (value) => typeof value === "boolean",
};

export const OBJECT: Kind = { must: "an object", holds: (value) => isObject(value) && !Array.isArray(value) };

/** [samples] of one channel. */
export const SAMPLES: Kind = {
  must: "a Float32Array of samples",
  holds: (value) => value instanceof Float32Array,
  advice(value) {
    if (typeof value === "string") return "Read the file first: await readAudio(path).";
    return Array.isArray(value) || ArrayBuffer.isView(value) ? "Give Float32Array.from(…)." : undefined;
  },
};

/** Row by row. */
export const MASK: Kind = {
  must: "a Uint8Array of 0 and 1",
  holds: (value) => value instanceof Uint8Array,
  advice: () => "Use Uint8Array.from.",
};

export const FINITE: Kind = {
  must: "a finite number",
  holds: (value) => Number.isFinite(value),
  isOfType: isNumber,
};

export const POSITIVE: Kind = {
  must: "positive",
  holds: (value) => typeof value === "number" && value > 0,
  isOfType: isNumber,
};

/** @param most infinite where the value may be so too */
export function whole(least: number, most: number = Number.MAX_SAFE_INTEGER): Kind {
  const range =
    most >= Number.MAX_SAFE_INTEGER
      ? `whole number of at least ${least}`
      : `whole number from ${least} to ${most}`;
  return {
    must: `a ${range}`,
    holds: (value) =>
      typeof value === "number" &&
      (Number.isInteger(value) || value === most) &&
      value >= least &&
      value <= most,
    isOfType: isNumber,
  };
}

export function choice(...names: readonly string[]): Kind {
  return {
    must: names.map((name) => JSON.stringify(name)).join(" or "),
    holds: (value) => names.includes(value as string),
    isOfType: isText,
    advice(value) {
      const meant = typeof value === "string" ? nearest(value, names) : undefined;
      return meant === undefined ? undefined : `Did you mean ${JSON.stringify(meant)}?`;
    },
  };
}

/** What becomes of data that cannot be used. */
export const ERROR_OR_SKIP = choice("error", "skip");

/** @param what one is, for example `strings` @param holds of each */
export function listOf(what: string, holds: (value: unknown) => boolean): Kind {
  const wrong = (value: unknown) => (Array.isArray(value) ? value.findIndex((each) => !holds(each)) : -1);
  return {
    must: `a list of ${what}`,
    holds: (value) => Array.isArray(value) && wrong(value) < 0,
    advice(value) {
      if (!Array.isArray(value)) return "Give an array.";
      const at = wrong(value);
      return `Its element ${at} is ${describeType(value[at])}.`;
    },
  };
}

export const TEXTS: Kind = listOf("strings", isText);

/** Of files. */
export const PATHS: Kind = {
  ...TEXTS,
  must: "a list of paths",
  advice: (value) => (typeof value === "string" ? "Give [path]." : TEXTS.advice?.(value)),
};

/** Clips of a corpus, of which the batches are made by their lengths. */
export const UTTERANCES: Kind = {
  ...listOf("utterances with their samples", (each) => isObject(each) && Number.isFinite(each.samples)),
  advice(value) {
    const isCorpus = isObject(value) && Array.isArray(value.utterances);
    return isCorpus ? "Give its utterances." : "Give those of readCorpus: { utterances }.";
  },
};

/** Something that can be gone through once or more. */
export const ITERABLE: Kind = {
  must: "iterable, such as an array",
  holds: (value) => isObject(value) && Symbol.iterator in value,
};
