import { ConfigurationError, UserError } from "../errors.js";
import { PoolError } from "../recognition/pool/pool-error.js";

/** What kind of fault it is, as OpenAI's clients tell them apart. */
export type ApiErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "permission_error"
  | "not_found_error"
  | "rate_limit_error"
  | "server_error";

export interface ApiErrorFields {
  type?: ApiErrorType;
  /** The field of the request that is to blame. */
  param?: string | undefined;
  code?: string | undefined;
  /** Seconds after which another try may succeed. */
  retryAfter?: number | undefined;
  cause?: unknown;
}

/** A request that is answered with other than success: in OpenAI's form `{ error: { message, type, param, code } }`. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly type: ApiErrorType;
  readonly param: string | undefined;
  readonly code: string | undefined;
  readonly retryAfter: number | undefined;

  /** @param status of HTTP */
  constructor(
    readonly status: number,
    message: string,
    { type, param, code, retryAfter, cause }: ApiErrorFields = {},
  ) {
    super(message, { cause });
    this.type = type ?? (status >= 500 ? "server_error" : "invalid_request_error");
    this.param = param;
    this.code = code;
    this.retryAfter = retryAfter;
  }

  get body() {
    const { message, type, param = null, code = null } = this;
    return { error: { message, type, param, code } };
  }

  get headers(): Record<string, string> {
    return this.retryAfter === undefined ? {} : { "Retry-After": String(this.retryAfter) };
  }
}

/**
 * What a client is told of an error: what is wrong with its audio or words, that it may try again, or that something went
 * wrong here.
 *
 * @param retryAfter seconds, of a full queue
 */
export function apiErrorOf(error: unknown, retryAfter = 1): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof PoolError) return ofPool(error, retryAfter);
  if (error instanceof UserError && error.code.startsWith("ERR_AUDIO_"))
    return new ApiError(400, error.message, { param: "file", code: error.code, cause: error });
  // All other options are the server's own, and were tried at its start.
  if (error instanceof ConfigurationError)
    return new ApiError(400, error.message, { param: "keywords", code: error.code, cause: error });
  return new ApiError(500, "The server failed at this recording, which is its own fault. Its log says why.", {
    cause: error,
  });
}

function ofPool(error: PoolError, retryAfter: number): ApiError {
  const { code, message } = error;
  const fields = { code, cause: error };
  if (code === "ERR_POOL_BUSY")
    return new ApiError(
      429,
      "The server must have room for another recording, but as many wait as may. Try again later.",
      { ...fields, type: "rate_limit_error", retryAfter },
    );
  if (code === "ERR_POOL_IDLE") return new ApiError(408, message, fields);
  return new ApiError(503, message, { ...fields, retryAfter });
}
