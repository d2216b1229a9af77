import { describe } from "./arguments.js";
import { argumentError } from "./errors.js";
import { native } from "./native.js";
import { watchForward } from "./nn/forward-hooks.js";
import { Module } from "./nn/module.js";

export interface Profile {
  /** Bytes of large CPU blocks that were in use as it began. */
  readonly before: number;
  /**
   * What took memory or time: an operator (of the backward pass, the node's name) and the key of the module whose forward pass
   * called or recorded it, "" for the module itself; `seconds` that it ran in all. The first stands for blocks from before.
   */
  readonly places: readonly { module: string; operator: string; seconds: number }[];
  /** Blocks in the order in which they came (`bytes` above 0) and went (below): seconds since the start, index of the place. */
  readonly changes: readonly { seconds: number; bytes: number; place: number }[];
}

/**
 * Records which operators, of which modules, take memory and time on the CPU, until the function that it returns is
 * called. One at a time in a process; every operator takes a few microseconds longer meanwhile.
 *
 * @throws TorchError where a profile runs already, or `module` is none
 */
export function startProfile(module: Module): () => Profile {
  if (!(module instanceof Module))
    throw argumentError("startProfile", `'module' must be a Module, but is ${describe(module)}`);
  const { liveBytes: before } = native.memory();
  native.startProfile();
  const inside: string[] = [];
  const enter = (key: string) => {
    inside.push(key);
    native.profileModule(key);
  };
  const leave = () => {
    inside.pop();
    native.profileModule(inside.at(-1) ?? "");
  };
  const removals = [...module.namedModules()].map(([key, each]) =>
    watchForward(each, () => enter(key), leave),
  );
  return () => {
    for (const remove of removals) remove();
    const [labels, seconds, numbers] = native.stopProfile();
    return {
      before,
      places: labels.map(([key, operator], index) => ({ module: key, operator, seconds: seconds[index]! })),
      changes: Array.from({ length: numbers.length / 3 }, (_, index) => ({
        seconds: numbers[3 * index]!,
        bytes: numbers[3 * index + 1]!,
        place: numbers[3 * index + 2]!,
      })),
    };
  };
}
