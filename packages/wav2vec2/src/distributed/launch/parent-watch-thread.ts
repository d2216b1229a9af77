import { Socket } from "node:net";
import { workerData } from "node:worker_threads";
import type { ParentWatchData } from "./parent-watch.js";

const { descriptor, patience } = workerData as ParentWatchData;
const pipe = new Socket({ fd: descriptor, readable: true, writable: false });
pipe.on("error", end);
pipe.on("close", end);
pipe.resume();

let ending = false;

function end(): void {
  if (ending) return;
  ending = true;
  process.kill(process.pid, "SIGTERM");
  setTimeout(() => process.kill(process.pid, "SIGKILL"), patience * 1_000);
}
