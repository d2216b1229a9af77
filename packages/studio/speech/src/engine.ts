/** More threads than these wait for each other in networks of this size. */
const MOST_THREADS = 8;

/** Threads of the engine on the processor: one where the page may not share memory. */
export function threadCount(): number {
  return crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency) : 1;
}
