import { type FSWatcher, watch } from "node:fs";

/** What is not told by the system, as on network file systems, is seen after so long. */
const POLL_MS = 700;
/** Files are written in small pieces one after another: a change is told when they have been quiet so long. */
const QUIET_MS = 50;
/** A directory that never rests is told of no more often. */
const LEAST_MS = 250;

/**
 * Calls `look` soon after anything changes in a directory, and now and then in any case, one call at a time. The directory may
 * be missing, go and come again.
 *
 * @returns ends it
 */
export function watchDirectory(path: string, look: () => Promise<void>): () => void {
  let watcher: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;
  let due = Number.POSITIVE_INFINITY;
  let last = 0;
  let isLooking = false;
  let isOpen = true;

  const after = (milliseconds: number): void => {
    const at = performance.now() + milliseconds;
    if (!isOpen || isLooking || at >= due) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(run, milliseconds);
  };
  const run = async (): Promise<void> => {
    due = Number.POSITIVE_INFINITY;
    isLooking = true;
    last = performance.now();
    arm();
    try {
      await look();
    } finally {
      isLooking = false;
      after(POLL_MS);
    }
  };
  const arm = (): void => {
    if (watcher) return;
    try {
      const own = watch(path, { persistent: false }, () =>
        after(Math.max(QUIET_MS, last + LEAST_MS - performance.now())),
      );
      const disarm = (): void => {
        own.close();
        if (watcher === own) watcher = undefined;
      };
      own.on("error", disarm);
      // A directory that is removed says so by its own name, and never speaks again.
      own.on("change", (event, name) => {
        if (event === "rename" && path.endsWith(String(name))) disarm();
      });
      watcher = own;
    } catch {
      // missing, or no more watches to be had: polling goes on
    }
  };
  void run();
  return () => {
    isOpen = false;
    clearTimeout(timer);
    watcher?.close();
  };
}
