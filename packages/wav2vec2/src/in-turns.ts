import { turn } from "#platform/turn";

/** Long work in steps of some milliseconds: it yields between them. */
export type Steps<Result> = Generator<void, Result>;

/** Does all of it at once. */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const next = steps.next();
    if (next.done) return next.value;
  }
}

/**
 * Does it step by step; the event loop has its turn between two.
 *
 * @throws the signal's reason where it is aborted
 */
export async function inTurns<Result>(
  steps: Steps<Result>,
  signal?: AbortSignal | undefined,
): Promise<Result> {
  for (;;) {
    const next = steps.next();
    if (next.done) return next.value;
    await turn();
    signal?.throwIfAborted();
  }
}
