import { join } from "node:path";
import { writeFileAtomic } from "../../../files/atomic/atomic-file.js";
import type { RunDescription, RunEnd } from "../../run-description.js";
import { comparedValues } from "../recipe-values.js";
import { recordOf, summary } from "./event-file.js";
import { double, type Field, integer, message, string } from "./protobuf.js";
import { pluginData } from "./summary.js";

/**
 * TensorBoard takes the first word of a run on its values and its end: a run that goes on has to take it back, so it has a file
 * of its own, which comes before all others.
 */
const NAME = "events.out.tfevents.0000000000.hparams";
const SUCCESS = 1; // hparams.Status
const FAILURE = 2;

/** Tells TensorBoard's table of runs what the recipe says, and how the run ended once it did. */
export async function writeHparams(
  directory: string,
  run: RunDescription,
  { time, end }: { time: number; end?: RunEnd },
): Promise<void> {
  const values = [session("session_start_info", message(3, startOf(run)))];
  const status = end && { finished: SUCCESS, failed: FAILURE, interrupted: undefined }[end.state];
  if (status !== undefined)
    values.push(session("session_end_info", message(4, [integer(1, status), double(2, time / 1000)])));
  const records = [
    recordOf({ time: run.began, step: 0, what: string(3, "brain.Event:2") }),
    ...values.map((value) => recordOf({ time, step: 0, what: summary([value]) })),
  ];
  await writeFileAtomic(join(directory, NAME), Buffer.concat(records));
}

function session(name: string, info: Field): Field[] {
  return pluginData(`_hparams_/${name}`, "hparams", [info]);
}

/** The numbers are those of tensorboard's `plugins/hparams/plugin_data.proto`. */
function startOf(run: RunDescription): Field[] {
  const entries = Object.entries({ task: run.task, ...comparedValues(run) });
  return [
    ...entries.map(([name, value]) => message(1, [string(1, name), message(2, [protoValue(value)])])),
    string(4, run.id),
    double(5, run.began / 1000),
  ];
}

/** A `google.protobuf.Value`. */
function protoValue(value: string | number | boolean): Field {
  if (typeof value === "number") return double(2, value);
  return typeof value === "boolean" ? integer(4, Number(value)) : string(3, value);
}
