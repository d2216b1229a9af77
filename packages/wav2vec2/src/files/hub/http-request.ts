import { setTimeout as sleep } from "node:timers/promises";

/** A request that brought no answer, or not the one that was asked for. */
export class RequestError extends Error {
  override readonly name = "RequestError";

  constructor(
    message: string,
    /** HTTP status; none when no answer came. */
    readonly status?: number,
    /** The Hub's header X-Error-Code: `RepoNotFound`, `RevisionNotFound`, `EntryNotFound`, `GatedRepo`. */
    readonly code?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Whether the same request may well succeed later. */
  get transient(): boolean {
    return this.status === undefined || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** Requests that can be stopped all at once, and whose failures tell what went wrong. */
export class HttpClient {
  constructor(readonly signal?: AbortSignal) {}

  /**
   * @throws RequestError for every answer but a good one
   * @throws the signal's reason once that is aborted
   */
  async request(url: string, init: RequestInit & { signal: AbortSignal }): Promise<Response> {
    const signal = this.signal ? AbortSignal.any([this.signal, init.signal]) : init.signal;
    let response: Response;
    try {
      response = await fetch(url, { ...init, signal });
    } catch (error) {
      throw this.failure(url, error);
    }
    if (response.ok) return response;
    const detail = response.headers.get("x-error-message");
    const code = response.headers.get("x-error-code") ?? undefined;
    await response.body?.cancel();
    throw new RequestError(
      `${url.replace(/\?.*/, "")} answered ${response.status}${detail ? `: ${detail}` : ""}`,
      response.status,
      code,
    );
  }

  /** What to throw for a connection that failed, or for one that the caller ended. */
  failure(url: string, error: unknown): unknown {
    if (this.signal?.aborted) return this.signal.reason;
    const { cause, message, name } = error as Error;
    const reason =
      name === "TimeoutError" ? "no answer in time" : cause instanceof Error ? describe(cause) : message;
    return new RequestError(`${new URL(url).origin} could not be reached: ${reason}`, undefined, undefined, {
      cause: error,
    });
  }
}

/** Node gives no message where it tried several addresses of one name. */
function describe(cause: Error & { code?: string }): string {
  return cause.message || cause.code || cause.name;
}

/** @throws the signal's reason once that is aborted */
export async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(milliseconds, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
}
