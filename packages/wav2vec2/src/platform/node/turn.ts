/** A turn for whatever else waits in this thread, before long work goes on. */
export { setImmediate as turn } from "node:timers/promises";
