import { parentPort, workerData } from "node:worker_threads";
import { UserError } from "../../errors.js";
import type { SinkContext } from "../sink-context.js";
import type { Sink } from "../tracker.js";
import type { Answer, SinkSetup, Told } from "./messages.js";

/** Makes a sink in its thread. @param options what structured clones hold */
export type MakeSink<Options = unknown> = (context: SinkContext, options: Options) => Sink | Promise<Sink>;

const port = parentPort!;
const answer = (message: Answer): void => port.postMessage(message);
const { module, options } = workerData as SinkSetup;
let now = Date.now();
const made = import(module).then(({ default: make }: { default: MakeSink }) =>
  make(
    {
      now: () => now,
      working: () => answer({ kind: "working" }),
      note: (text) => answer({ kind: "note", text }),
      stop: (reason) => answer({ kind: "stop", reason }),
    },
    options,
  ),
);
made.catch(() => {}); // of which the first message is told

const take = async ({ method, values, time }: Told): Promise<void> => {
  try {
    now = time;
    const sink = await made;
    await (sink[method] as ((...values: unknown[]) => unknown) | undefined)?.(...values);
  } catch (error) {
    const { message, stack = "" } = error as Error;
    answer({ kind: "failed", method, message, isUsers: error instanceof UserError, stack });
  }
};

// One after another: a sink is told things in their order, and never while it is still at the last.
let last: Promise<unknown> = Promise.resolve();
port.on("message", (all: readonly Told[]) => {
  last = last.then(async () => {
    for (const told of all) await take(told);
    answer({ kind: "done", taken: all.length });
  });
});
