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
made.catch(() => {}); // which the first message hears

// One after another: a sink is told things in their order, and never while it is still at the last.
let last: Promise<unknown> = Promise.resolve();
port.on("message", (told: Told) => {
  last = last.then(async () => {
    try {
      now = told.time;
      const sink = await made;
      await (sink[told.method] as ((...values: unknown[]) => unknown) | undefined)?.(...told.values);
      answer({ kind: "done", messages: 1 });
    } catch (error) {
      const { message, stack } = error as Error;
      answer({
        kind: "done",
        messages: 1,
        failure: { message, isUsers: error instanceof UserError, stack: stack ?? "" },
      });
    }
  });
});
