import { createReadStream, statSync } from "node:fs";
import { type RequestOptions, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { limitedSignal } from "../../../files/hub/limited-signal.js";

/** How long things may take, in milliseconds. */
export interface Timing {
  /** Whatever is asked before training begins. */
  start: number;
  /** Without any progress at the end of a run. */
  end: number;
  /** One request. */
  request: number;
  /** Before a request is repeated: the first time, twice that the second, and so on up to `mostDelay`. */
  delay: number;
  mostDelay: number;
  /** Between two sendings of lines; they come sooner at first. */
  flush: number;
  firstFlush: number;
  /** After which a sending without lines says that the run lives. */
  heartbeat: number;
}

/** W&B's own client's, but for those of start and end, which it leaves to the person. */
export const TIMING: Timing = {
  start: 12_000,
  end: 45_000,
  request: 60_000,
  delay: 2_000,
  mostDelay: 60_000,
  flush: 15_000,
  firstFlush: 1_000,
  heartbeat: 30_000,
};

/** A server's refusal of a request, which it would refuse again. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";

  constructor(
    message: string,
    /** HTTP status; 200 where an operation failed in itself. */
    readonly status: number,
  ) {
    super(message);
  }
}

/** Nobody answered in all the time there was. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

/** No answer, or one that may well be another next time. */
class TransientError extends Error {
  override readonly name = "TransientError";

  constructor(
    message: string,
    /** Milliseconds until which the server wants no other request. */
    readonly wait = 0,
  ) {
    super(message);
  }
}

/** About half a minute. */
const TRIES_BEFORE_TROUBLE = 3;

/** Of these, W&B's server says that asking again is of no use. It does so of 409 too, which load balancers send at times. */
const FINAL: readonly number[] = [400, 401, 403, 404, 410, 413, 422, 501];

/** Requests to a W&B server, repeated until they succeed or are refused. */
export class WandbApi {
  readonly #ending = new AbortController();
  #progress = performance.now();

  constructor(
    readonly baseUrl: string,
    readonly key: string,
    readonly timing: Timing,
  ) {}

  /** Is told why a server does not answer: once, however often it goes. */
  onTrouble: ((reason: string) => void) | undefined;

  /** Lets go of all requests once there was no progress for {@link Timing.end}. */
  hurry(): void {
    this.#progress = performance.now();
    const look = setInterval(
      () => {
        if (performance.now() - this.#progress < this.timing.end) return;
        clearInterval(look);
        this.#ending.abort(new Error("no progress at the end of the run"));
      },
      Math.min(250, this.timing.end),
    );
    look.unref();
  }

  /**
   * @param within milliseconds, over all repetitions
   * @throws RefusedError where the server refuses it
   * @throws UnreachableError with the last reason where time is up
   */
  async graphql<Data>(query: string, variables: object, within?: number): Promise<Data> {
    const text = await this.post("/graphql", { query, variables }, within);
    const { data, errors } = text as { data?: Data; errors?: { message: string }[] };
    if (errors?.length) throw new RefusedError(errors.map(({ message }) => message).join("; "), 200);
    if (!data) throw new RefusedError("an answer without data", 200);
    return data;
  }

  /** @returns the answer's JSON */
  async post(path: string, body: object, within?: number): Promise<unknown> {
    const text = JSON.stringify(body);
    return this.#repeat(async (signal) => {
      using limit = limitedSignal(signal, this.timing.request);
      const response = await fetch(this.baseUrl + path, {
        method: "POST",
        headers: {
          authorization: `Basic ${Buffer.from(`api:${this.key}`).toString("base64")}`,
          "content-type": "application/json",
          "user-agent": "wav2vec2",
        },
        body: text,
        signal: limit.signal,
      });
      const answer = await response.text();
      if (!response.ok) throw failureOf(response.status, answer, response.headers.get("retry-after"));
      return JSON.parse(answer) as unknown;
    }, within);
  }

  /**
   * Puts a file where a server said, without the key, as it may be another's storage.
   *
   * @param source its path, or its contents
   */
  async put(url: string, source: string | Uint8Array, headers: Record<string, string>): Promise<void> {
    await this.#repeat(async (signal) => {
      const size = typeof source === "string" ? statSync(source).size : source.length;
      const stream = typeof source === "string" ? createReadStream(source) : Readable.from([source]);
      stream.on("data", () => {
        this.#progress = performance.now();
      });
      await putStream(url, stream, {
        headers: { ...headers, "content-length": size },
        timeout: this.timing.request, // of silence
        signal,
      });
    });
  }

  async #repeat<Result>(once: (signal: AbortSignal) => Promise<Result>, within?: number): Promise<Result> {
    using limit = limitedSignal(this.#ending.signal, within);
    const { signal } = limit;
    for (let attempt = 0; ; attempt++) {
      let failure: unknown;
      try {
        const result = await once(signal);
        this.#progress = performance.now();
        return result;
      } catch (error) {
        failure = error;
      }
      if (failure instanceof RefusedError || isOfFile(failure)) throw failure;
      const { delay, mostDelay } = this.timing;
      if (attempt === TRIES_BEFORE_TROUBLE && within === undefined) {
        this.onTrouble?.(reasonOf(failure));
        this.onTrouble = undefined;
      }
      const jitter = 0.75 + Math.random() / 2;
      const wait = Math.min(mostDelay, delay * 2 ** attempt) * jitter;
      const asked = failure instanceof TransientError ? Math.min(failure.wait, mostDelay) : 0;
      if (!signal.aborted)
        await sleep(Math.max(wait, asked), undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) throw new UnreachableError(reasonOf(failure), { cause: failure });
    }
  }
}

/** Unlike `fetch`, it says how long a stream is, which stores of files want to know before. */
function putStream(url: string, stream: Readable, options: RequestOptions): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const request = (url.startsWith("https:") ? requestHttps : requestHttp)(url, {
      method: "PUT",
      ...options,
    });
    request.once("timeout", () => request.destroy(new Error("no answer in time")));
    request.once("error", reject);
    request.once("response", (response) => {
      const { statusCode: status = 0, headers } = response;
      response.once("error", reject);
      response.once("end", () => {
        if (status < 300) resolve();
        else reject(failureOf(status, "", headers["retry-after"]));
      });
      response.resume();
    });
    stream.once("error", (error) => request.destroy(error));
    stream.pipe(request);
  });
}

function failureOf(status: number, answer: string, retryAfter: string | null | undefined): Error {
  const message = messageOf(answer) ?? `status ${status}`;
  if (FINAL.includes(status)) return new RefusedError(message, status);
  return new TransientError(message, (Number(retryAfter) || 0) * 1000);
}

/** What a server says in words, where it does. */
function messageOf(answer: string): string | undefined {
  try {
    const { errors, error } = JSON.parse(answer) as { errors?: { message?: string }[]; error?: unknown };
    return errors?.[0]?.message ?? (typeof error === "string" ? error : undefined);
  } catch {
    return undefined;
  }
}

/** Whether a file on this computer cannot be read, which no repetition mends. */
function isOfFile(error: unknown): boolean {
  return ["ENOENT", "EACCES", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function reasonOf(error: unknown): string {
  const { message, cause, name } = error as Error;
  if (name === "TimeoutError" || name === "AbortError") return "no answer in time";
  if (!(cause instanceof Error)) return message;
  return cause.message || (cause as NodeJS.ErrnoException).code || cause.name;
}
