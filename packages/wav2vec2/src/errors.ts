/**
 * What was wrong, for programs: which of them are the fault of a server's client, the table in docs/in-a-server.md says.
 *
 * | code | |
 * |---|---|
 * | `ERR_AUDIO_FORMAT` | not audio, or audio of a kind that is not read |
 * | `ERR_AUDIO_TRUNCATED` | audio that was cut off |
 * | `ERR_AUDIO_CORRUPT` | audio that is damaged, contradicts itself or holds samples that are no numbers |
 * | `ERR_AUDIO_EMPTY` | no bytes, or no samples |
 * | `ERR_AUDIO_RANGE` | a part that does not lie within the audio |
 * | `ERR_AUDIO_UNREACHABLE` | an address that gave no audio |
 * | `ERR_TEXT` | a text that cannot be aligned to the audio |
 * | `ERR_FILE_NOT_FOUND`, `ERR_FILE_UNREADABLE` | a file or directory that is missing, or that the system does not read |
 * | `ERR_MODEL_NOT_FOUND` | no such model, in a directory or on the Hub |
 * | `ERR_MODEL_INVALID` | a model whose files are damaged, do not fit each other, or are of another kind |
 * | `ERR_LANGUAGE_MODEL` | a language model that is damaged, of another kind, or does not fit the vocabulary |
 * | `ERR_GPU` | in pages: a GPU that was lost or failed while it computed |
 * | `ERR_CONFIGURATION` | wrong usage: an option or a name that does not exist, a number out of range |
 * | `ERR_USER` | anything else that the user can mend |
 */
export type ErrorCode =
  | "ERR_AUDIO_FORMAT"
  | "ERR_AUDIO_TRUNCATED"
  | "ERR_AUDIO_CORRUPT"
  | "ERR_AUDIO_EMPTY"
  | "ERR_AUDIO_RANGE"
  | "ERR_AUDIO_UNREACHABLE"
  | "ERR_TEXT"
  | "ERR_FILE_NOT_FOUND"
  | "ERR_FILE_UNREADABLE"
  | "ERR_MODEL_NOT_FOUND"
  | "ERR_MODEL_INVALID"
  | "ERR_LANGUAGE_MODEL"
  | "ERR_GPU"
  | "ERR_CONFIGURATION"
  | "ERR_USER";

export interface UserErrorOptions {
  cause?: unknown;
  code?: ErrorCode | undefined;
}

/**
 * A mistake the user can mend: a missing file, a bad recipe, a corrupt clip. The command line prints its
 * message without a stack trace; everything else that is thrown is a broken invariant of this project.
 */
export class UserError extends Error {
  override readonly name: string = "UserError";
  /** What was wrong, for programs. */
  code: ErrorCode;

  constructor(message: string, { code = "ERR_USER", ...options }: UserErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}

/** Wrong usage or configuration, as opposed to wrong data: the command line exits with 2 instead of 1. */
export class ConfigurationError extends UserError {
  override readonly name = "ConfigurationError";

  constructor(message: string, options: UserErrorOptions = {}) {
    super(message, { code: "ERR_CONFIGURATION", ...options });
  }
}

/** Gives a code to what `body` throws, where that has none that says more than that the user can mend it. */
export async function withCode<T>(code: ErrorCode, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw coded(code, error);
  }
}

/** The error itself, with a code where it is a UserError that had none of its own. */
export function coded(code: ErrorCode, error: unknown): unknown {
  if (error instanceof UserError && error.code === "ERR_USER") error.code = code;
  // What is wrong with a model's configuration is not wrong usage.
  if (error instanceof UserError && error.code === "ERR_CONFIGURATION" && code === "ERR_MODEL_INVALID")
    error.code = code;
  return error;
}

/** For an argument that no TypeScript program would pass: a TypeError with Node.js' own code. */
export function wrongType(message: string): TypeError & { code: string } {
  return Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_TYPE" });
}
