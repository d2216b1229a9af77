import { setTimeout as sleep } from "node:timers/promises";
import type { HubEnvironment } from "./hub-environment.js";

/** A request to the Hub that brought no answer, or not the one that was asked for. */
export class HubRequestError extends Error {
  override readonly name = "HubRequestError";

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

/** Requests to one Hub with its token, which no other host gets to see. */
export class HubClient {
  constructor(
    readonly environment: HubEnvironment,
    readonly signal?: AbortSignal,
  ) {}

  /**
   * A `fetch` for JSON, to give to `@huggingface/hub`. That package refuses tokens that do not begin with `hf_` and
   * has neither time limits nor cancellation, so all of that is here.
   */
  readonly fetchJson: typeof fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const { lookupTimeout } = this.environment;
    const timeout = AbortSignal.timeout(lookupTimeout);
    const response = await this.request(url, { ...init, signal: timeout });
    const text = await response.text().catch((error: unknown) => {
      throw this.failure(url, error);
    });
    try {
      JSON.parse(text);
    } catch (error) {
      // The login page of a hotel's network, for example.
      throw new HubRequestError(`${url} answered with something else than JSON`, undefined, undefined, {
        cause: error,
      });
    }
    return new Response(text, { headers: response.headers });
  };

  /**
   * @throws HubRequestError for every answer but a good one
   * @throws the signal's reason once that is aborted
   */
  async request(url: string, init: RequestInit & { signal: AbortSignal }): Promise<Response> {
    const { endpoint, token } = this.environment;
    const headers = new Headers(init.headers);
    // Where the Hub redirects to another host, fetch leaves this header out (https://fetch.spec.whatwg.org, section
    // HTTP-redirect fetch). `@huggingface/hub` itself would send it to CloudFront.
    if (token !== undefined && new URL(url).origin === new URL(endpoint).origin) {
      headers.set("authorization", `Bearer ${token}`);
    }
    const signal = this.signal ? AbortSignal.any([this.signal, init.signal]) : init.signal;
    let response: Response;
    try {
      response = await fetch(url, { ...init, headers, signal });
    } catch (error) {
      throw this.failure(url, error);
    }
    if (response.ok) return response;
    const detail = response.headers.get("x-error-message");
    const code = response.headers.get("x-error-code") ?? undefined;
    await response.body?.cancel();
    throw new HubRequestError(
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
    return new HubRequestError(
      `${new URL(url).origin} could not be reached: ${reason}`,
      undefined,
      undefined,
      {
        cause: error,
      },
    );
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
