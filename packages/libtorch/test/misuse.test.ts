import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import * as torch from "../src/index.js";

// What plain JavaScript may write: every exported function, class and method with values of wrong types. Each call may
// succeed or throw a TorchError with a code; nothing else is thrown, and no number becomes NaN.

const { nn, optim, tensor, ones } = torch;
const JUNK: readonly unknown[] = [
  undefined,
  null,
  {},
  "x",
  [],
  Symbol("s"),
  -1,
  1.5,
  1n,
  [undefined],
  { handle: 1 },
];
/** Of no number: what is made of them must not be NaN. */
const NO_NUMBERS = JUNK.filter((value) => typeof value !== "number" && typeof value !== "bigint");

/** Files, errors, what takes no arguments or changes the whole process; these have tests of their own. */
const LEFT_OUT = new Set([
  ...[
    "openTensors",
    "mapFile",
    "loadTensors",
    "loadState",
    "saveTensors",
    "writeSafetensors",
    "openSafetensors",
  ],
  ...["SafetensorsFile", "MappedFileError", "TensorFileError", "TorchError", "BridgeError", "LossScaleError"],
  ...["distributed", "manualSeed", "setThreads", "setRandomState", "setFlushDenormal", "numericsCheck"],
  ...["gpuReport", "cudaBuild", "OPERATORS"],
]);
/** Memory of unknown contents. */
const UNINITIALISED = /^(empty|emptyLike)$/;
/** Called by their own class alone. */
const PROTECTED = new Set(["constructor", "update", "updateAtOnce", "decay", "learningRateAt"]);

function* argumentLists(values: readonly unknown[]): Generator<unknown[]> {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  yield [];
  for (const value of values) {
    yield [value];
    yield [value, value, value];
    yield [x, value];
    yield [value, x];
    yield [[2, 2], value];
    yield [2, 2, value];
    yield [[x], value];
    yield [() => x, value];
  }
}

const text = (args: readonly unknown[]) => inspect(args, { depth: 1 }).replace(/\s+/g, " ");

/** What was thrown that must not be, or came out as no number. */
function fault(call: () => unknown, mayBeNaN: boolean): string | undefined {
  try {
    const result = torch.scope(() => {
      const given = call();
      if (given instanceof Promise) given.catch(() => {});
      else if (isIterator(given)) for (const _ of given);
      return given instanceof Promise ? undefined : given;
    });
    if (mayBeNaN || !torch.isTensor(result) || !result.isLive || !/float/.test(result.dtype))
      return undefined;
    return result.device === "cpu" && result.toArray().some(Number.isNaN) ? "gives NaN" : undefined;
  } catch (error) {
    if (error instanceof torch.TorchError && /^ERR_TORCH_[A-Z]+$/.test(error.code)) return undefined;
    return `throws ${error}`;
  }
}

function isIterator(value: unknown): value is Generator {
  return typeof value === "object" && value !== null && "next" in value;
}

function faultsOf(name: string, call: (...args: unknown[]) => unknown): string[] {
  const faults: string[] = [];
  for (const values of [NO_NUMBERS, JUNK]) {
    const mayBeNaN = values === JUNK || UNINITIALISED.test(name);
    for (const args of argumentLists(values)) {
      const found = fault(() => call(...args), mayBeNaN);
      if (found) faults.push(`${name}(${text(args)}) ${found}`);
    }
  }
  return faults.slice(0, 5);
}

type Callable = (...args: unknown[]) => unknown;
type Constructor = new (...args: unknown[]) => object;

function exported(object: object, path: string): [string, Callable][] {
  return Object.entries(object).flatMap(([name, value]: [string, unknown]): [string, Callable][] => {
    if (LEFT_OUT.has(name)) return [];
    if (typeof value === "object" && value !== null) return exported(value, `${path}${name}.`);
    if (typeof value !== "function") return [];
    const isClass = /^class\b/.test(Function.prototype.toString.call(value));
    const call = isClass ? (...args: unknown[]) => new (value as Constructor)(...args) : (value as Callable);
    return [[path + name, call]];
  });
}

const parameters = () => [nn.parameter(ones([2]))];
const sgd = () => new optim.SGD(parameters(), { learningRate: 0.1 });
const INSTANCES: Record<string, () => object> = {
  Tensor: () => tensor([1, 2], { requiresGrad: true }),
  Linear: () => new nn.Linear(2, 2),
  Conv1d: () => new nn.Conv1d(2, 2, 1),
  LayerNorm: () => new nn.LayerNorm(2),
  GroupNorm: () => new nn.GroupNorm(1, 2),
  Embedding: () => new nn.Embedding(2, 2),
  Dropout: () => new nn.Dropout(0.5),
  WeightNorm: () => new nn.WeightNorm(ones([2, 2]), 0),
  Sequential: () => new nn.Sequential(new nn.Linear(2, 2)),
  ModuleDict: () => new nn.ModuleDict(),
  AdamW: () => new optim.AdamW(parameters(), { learningRate: 0.1 }),
  SGD: sgd,
  GradScaler: () => new optim.GradScaler(),
  StepLR: () => new optim.lrScheduler.StepLR(sgd(), { stepSize: 1 }),
  ReduceLROnPlateau: () => new optim.lrScheduler.ReduceLROnPlateau(sgd()),
  SnapshotMemory: () => new torch.SnapshotMemory(),
};

function* properties(object: object): Generator<[string, PropertyDescriptor]> {
  const seen = new Set<string>(PROTECTED);
  for (
    let at = Object.getPrototypeOf(object);
    at && at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (seen.has(name)) continue;
      seen.add(name);
      yield [name, descriptor];
    }
  }
}

describe("values of wrong types", () => {
  const functions = exported(torch, "");

  it("are looked at in all that is exported", () => {
    expect(functions.length).toBeGreaterThan(100);
  });

  it("are refused by functions and constructors with a TorchError that has a code", () => {
    expect(functions.flatMap(([name, call]) => faultsOf(name, call))).toEqual([]);
  });

  it("are refused by what reads and writes files, and by what joins processes, with an error that has a code", async () => {
    const { distributed, mapFile, saveTensors, writeSafetensors, loadState, loadTensors } = torch;
    const { openTensors, openSafetensors } = torch;
    const { ProcessGroup, TCPStore, Reducer, digestOf, shareValues } = distributed;
    const asynchronous: Record<string, (...args: never[]) => unknown> = {
      ...{ mapFile, saveTensors, writeSafetensors, loadState, loadTensors, openTensors, openSafetensors },
      ...{ digestOf, shareValues, openGroup: ProcessGroup.open, openStore: TCPStore.open },
      reducer: (...args: never[]) =>
        new Reducer(...(args as unknown as ConstructorParameters<typeof Reducer>)),
    };
    const path = "/nonexistent/x.safetensors";
    const faults: string[] = [];
    for (const [name, call] of Object.entries(asynchronous)) {
      for (const value of JUNK.filter((each) => each !== "x")) {
        const lists = [[value], [value, value], [path, value], [path, [["a", value]]], [path, [], value]];
        for (const args of lists) {
          try {
            await (call as Callable)(...args);
          } catch (error) {
            if (error instanceof Error && "code" in error && /^E[A-Z_]+$/.test(String(error.code))) continue;
            faults.push(`${name}(${text(args)}) throws ${error}`);
          }
        }
      }
    }
    expect(faults).toEqual([]);
  });

  it.each(Object.entries(INSTANCES))("are refused by the methods and fields of %s", (kind, make) => {
    const faults: string[] = [];
    for (const [name, { value, set }] of properties(make())) {
      if (typeof value === "function")
        faults.push(
          ...faultsOf(`${kind}.${name}`, (...args) => (make() as Record<string, Callable>)[name]!(...args)),
        );
      if (!set) continue;
      for (const wrong of JUNK) {
        const found = fault(() => Object.assign(make(), { [name]: wrong }), true);
        if (found) faults.push(`${kind}.${name} = ${text([wrong])} ${found}`);
      }
    }
    expect(faults).toEqual([]);
  });
});
