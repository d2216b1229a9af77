/**
 * Why a pool did not do a job, by its code:
 *
 * - `ERR_POOL_BUSY`: as many jobs wait as may; later there is room (HTTP's 429 or 503)
 * - `ERR_POOL_CLOSED`: the pool was closed
 * - `ERR_POOL_IDLE`: the recording's stream gave nothing for too long (HTTP's 408)
 * - `ERR_POOL_THREAD`: the thread that was at it ended; another has taken its place, and the job can be tried again
 */
export class PoolError extends Error {
  override readonly name = "PoolError";

  constructor(
    readonly code: "ERR_POOL_BUSY" | "ERR_POOL_CLOSED" | "ERR_POOL_IDLE" | "ERR_POOL_THREAD",
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
