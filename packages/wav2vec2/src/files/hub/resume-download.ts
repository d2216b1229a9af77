import type { PartialFile } from "../atomic/partial-file.js";
import { type HttpClient, pause, RequestError } from "./http-request.js";

export interface ResumeOptions {
  /** Milliseconds without a byte after which a connection counts as cut. */
  stallTimeout: number;
  /** Milliseconds to wait before each new attempt that follows one without a byte. */
  retryDelays: readonly number[];
  /** Looks at an answer before its body is taken, and throws where it cannot be the file. */
  onResponse?: (response: Response) => void;
  /** A connection failed; the next attempt comes in this many milliseconds. */
  onRetry?: (error: RequestError, delay: number) => void;
}

/**
 * Requests what a partial file lacks until all is there, by ranges; where the server knows none, from the beginning.
 * @throws RequestError when the server refuses, or fails again and again; what came so far stays in the file
 */
export async function resumeDownload(
  client: HttpClient,
  url: string,
  contents: PartialFile,
  options: ResumeOptions,
): Promise<void> {
  const { retryDelays, onRetry } = options;
  let [furthest, failures] = [contents.size, 0];
  while (contents.size < contents.expected.size) {
    try {
      await receiveOnce(client, url, contents, options);
    } catch (error) {
      if (!(error instanceof RequestError) || !error.transient) throw error;
      failures = contents.size > furthest ? 0 : failures + 1;
      if (failures > retryDelays.length) throw error;
      const delay = failures > 0 ? retryDelays[failures - 1]! : 0;
      onRetry?.(error, delay);
      if (delay > 0) await pause(delay, client.signal);
    }
    furthest = Math.max(furthest, contents.size);
  }
}

async function receiveOnce(
  client: HttpClient,
  url: string,
  contents: PartialFile,
  { stallTimeout, onResponse }: ResumeOptions,
): Promise<void> {
  const stalled = new AbortController();
  const watch = setTimeout(
    () => stalled.abort(new DOMException("no bytes in time", "TimeoutError")),
    stallTimeout,
  );
  try {
    const response = await client.request(url, {
      // Compressed, the place to resume from would be another.
      headers: { "accept-encoding": "identity", range: `bytes=${contents.size}-` },
      signal: stalled.signal,
    });
    onResponse?.(response);
    if (response.status !== 206) {
      await contents.restart(); // a server that knows no ranges
    } else if (!response.headers.get("content-range")?.startsWith(`bytes ${contents.size}-`)) {
      throw new RequestError(`${url} answered with another range than was asked for`, 500);
    }
    const reader = response.body!.getReader();
    for (;;) {
      watch.refresh();
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw client.failure(url, error);
      });
      if (done) break;
      await contents.append(value);
    }
    if (contents.size < contents.expected.size) {
      throw new RequestError(`${url} ended after ${contents.size} of ${contents.expected.size} bytes`);
    }
  } finally {
    clearTimeout(watch);
    stalled.abort();
  }
}
