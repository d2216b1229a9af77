import { Worker } from "node:worker_threads";

/**
 * Names the file descriptor of a pipe whose other end the launcher alone holds. The system closes it when the launcher
 * ends, however it ends.
 */
export const PARENT_PIPE = "WAV2VEC2_LAUNCHER_PIPE";

/** What the thread gets that watches. */
export interface ParentWatchData {
  descriptor: number;
  /** Time to save and end before the process is killed, in seconds. */
  patience: number;
}

/**
 * Ends this process when its launcher has died: nobody would stop it otherwise, and it would hold its GPU. First by
 * SIGTERM, at which training saves; after `patience` seconds by SIGKILL. Does nothing in processes that have no launcher.
 * A thread of its own watches: this one may be waiting inside libtorch for processes that are gone.
 */
export function watchParent(env: NodeJS.ProcessEnv, patience = 30): void {
  const descriptor = Number(env[PARENT_PIPE]);
  // Processes that this one starts have no such pipe.
  delete env[PARENT_PIPE];
  if (!Number.isInteger(descriptor) || descriptor < 3) return;
  const workerData: ParentWatchData = { descriptor, patience };
  const worker = new Worker(new URL("./parent-watch-thread.js", import.meta.url), { workerData });
  worker.unref();
  // Where the pipe is missing (the variable came from elsewhere), there is nothing to watch.
  worker.on("error", () => {});
}
