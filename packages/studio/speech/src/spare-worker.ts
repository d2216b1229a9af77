/** A worker of the page, which begins with its code before anything is asked of it. */
function start(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
}

let spare: Worker | undefined = start();

/** The worker that was started with the page, once; then new ones. */
export function takeWorker(): Worker {
  const worker = spare ?? start();
  spare = undefined;
  return worker;
}

/** Lets it fetch and compile the engine, which takes longest, while the page's own code and the model come. */
export function warmSpare(runtime: string, threads: number): void {
  spare?.postMessage({ type: "warm", runtime, threads });
}
