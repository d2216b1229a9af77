import { describe } from "../arguments.js";
import { argumentError } from "../errors.js";
import { native } from "../native.js";
import { nearest } from "../nearest.js";
import { stateName } from "../nn/state-name.js";
import { isTensor, wrap } from "../tensors/handles.js";
import type { Tensor } from "../tensors/tensor.js";
import { type OperatorSchema, parseSchema, type SchemaParameter } from "./operator-schema.js";
import { OPERATORS } from "./operators.generated.js";

/** What operators take: tensors, numbers, strings and arrays of them; the last one may be an object of arguments by name. */
export type OperatorArgument =
  | Tensor
  | number
  | bigint
  | boolean
  | string
  | undefined
  | null
  | readonly OperatorArgument[]
  | { readonly [name: string]: OperatorArgument };

/** What operators give; several results come as an array. */
export type OperatorResult = Tensor | number | boolean | undefined | readonly OperatorResult[];

interface Candidate extends OperatorSchema {
  /** For example `std.correction`. */
  readonly name: string;
  readonly index: number;
}

let overloads: Map<string, string[]> | undefined;
const candidates = new Map<string, readonly Candidate[]>();

/** The overloads of all of libtorch's operators by name. */
function allOverloads(): Map<string, string[]> {
  if (overloads) return overloads;
  overloads = new Map();
  for (const name of native.operatorNames()) {
    const [base, overload = ""] = name.split(".") as [string, string?];
    overloads.set(base, [...(overloads.get(base) ?? []), overload]);
  }
  return overloads;
}

/** Those that a name may mean, with the fewest arguments first. */
function candidatesOf(name: string): readonly Candidate[] {
  const known = candidates.get(name);
  if (known) return known;
  const [base, wanted] = name.replace(/^aten::/, "").split(".") as [string, string?];
  if (isPrivate(base)) throw argumentError("operator", privateOperator(base));
  const found = (allOverloads().get(base) ?? [])
    .filter((overload) => wanted === undefined || overload === wanted)
    .map((overload) => {
      const index = native.lookup(base, overload);
      return { ...parseSchema(native.schema(index)), name: overload ? `${base}.${overload}` : base, index };
    })
    // Those that write into tensors given by name are for C++.
    .filter(({ parameters }) => wanted !== undefined || !parameters.some((p) => p.isKeyword && p.isWritten))
    .sort((a, b) => a.parameters.length - b.parameters.length || (a.name < b.name ? -1 : 1));
  if (found.length === 0) throw argumentError("operator", unknownOperator(name, base));
  candidates.set(name, found);
  return found;
}

/**
 * libtorch's own parts, which trust their callers: of some 480 a dozen ended the process within 60 calls with tensors of
 * wrong shapes (`_ctc_loss_backward`, `_foreach_copy`, `_convert_indices_from_coo_to_csr` and others).
 */
function isPrivate(base: string): boolean {
  return base.startsWith("_") && !OPERATORS.includes(base);
}

function privateOperator(base: string): string {
  const names = allOverloads();
  const open = base.replace(/^_+/, "");
  const meant = [open, open.replace(/_(backward|forward|impl)$/, "")].find((name) => names.has(name));
  return (
    `'name' must be an operator that checks its arguments, but '${base}' is a part of libtorch's own, which can end the process. ` +
    `Use ${meant === undefined ? "one whose name begins with a letter" : `'${meant}'`}`
  );
}

function unknownOperator(name: string, base: string): string {
  const names = allOverloads();
  const overload = names.get(base);
  const meant = overload
    ? overload.map((each) => (each ? `${base}.${each}` : base)).join(", ")
    : nearest(stateName(base), [...names.keys()]);
  return `'${name}' must be an operator of this libtorch, but is not${meant === undefined ? "" : `. There is ${meant}`}`;
}

/** Why a value cannot be an argument of a type; undefined where it can. */
function misfit(value: unknown, type: string): string | undefined {
  const optional = type.endsWith("?");
  if (value === undefined || value === null) return optional ? undefined : "must be given";
  const base = optional ? type.slice(0, -1) : type;
  const list = /^(.*)\[(\d*)\]$/.exec(base);
  if (list) {
    const [, element, fixed] = list as unknown as [string, string, string];
    if (Array.isArray(value)) {
      const wrong = value.map((each) => misfit(each, element)).find((reason) => reason !== undefined);
      return wrong && `must be an array, but an element ${wrong}`;
    }
    return fixed && !isTensor(value) ? misfit(value, element) : `must be an array, but is ${describe(value)}`;
  }
  const kinds: Record<string, [what: string, fits: boolean]> = {
    Tensor: ["a Tensor", isTensor(value)],
    Scalar: ["a number", ["number", "boolean", "bigint"].includes(typeof value)],
    int: ["a whole number", Number.isSafeInteger(value) || typeof value === "bigint"],
    SymInt: ["a whole number", Number.isSafeInteger(value) || typeof value === "bigint"],
    float: ["a number", typeof value === "number"],
    bool: ["true or false", typeof value === "boolean"],
    str: ["a string", typeof value === "string"],
    ScalarType: ["a dtype such as 'float32'", typeof value === "string"],
    Device: ["a device such as 'cpu'", typeof value === "string"],
    MemoryFormat: ["'contiguous' or 'preserve'", typeof value === "string"],
  };
  const [what, fits] = kinds[base] ?? [`left out, since ${base} has no value in JavaScript`, false];
  return fits ? undefined : `must be ${what}, but is ${describe(value)}`;
}

type Bound = { values: unknown[] } | { reason: string };

/** Puts arguments into the order of a schema. */
function bind({ parameters }: Candidate, args: readonly unknown[]): Bound {
  const last = args.at(-1);
  const named = isOptions(last) ? last : undefined;
  const positional = named ? args.slice(0, -1) : args;
  const places = parameters.filter(({ isKeyword }) => !isKeyword);
  if (positional.length > places.length)
    return {
      reason: `takes ${places.length} arguments by place, but ${positional.length} were given`,
    };
  const values: unknown[] = parameters.map((parameter) => positional[places.indexOf(parameter)]);
  for (const [key, value] of Object.entries(named ?? {})) {
    const i = parameters.findIndex(({ name }) => name === key || name === stateName(key));
    if (i < 0) {
      const meant = nearest(
        stateName(key),
        parameters.map(({ name }) => name),
      );
      return { reason: `has no argument '${key}'${meant === undefined ? "" : `. Write '${meant}'`}` };
    }
    if (values[i] !== undefined) return { reason: `is given '${key}' twice, by place and by name` };
    values[i] = value;
  }
  for (const [i, parameter] of parameters.entries()) {
    const reason = misfitOf(parameter, values[i]);
    if (reason !== undefined) return { reason: `'${parameter.name}' (${parameter.type}) ${reason}` };
  }
  return { values };
}

function misfitOf({ type, isRequired }: SchemaParameter, value: unknown): string | undefined {
  if (value === undefined && !isRequired) return undefined;
  return misfit(value, type);
}

function isOptions(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isTensor(value);
}

function toNative(value: unknown): unknown {
  if (isTensor(value)) return value.handle;
  return Array.isArray(value) ? value.map(toNative) : value;
}

function fromNative(value: unknown, type: string): OperatorResult {
  if (value === undefined) return undefined;
  const element = /^(.*)\[\d*\]$/.exec(type)?.[1];
  if (element !== undefined) return (value as unknown[]).map((each) => fromNative(each, element));
  return /^Tensor\??$/.test(type) ? wrap(value as number) : (value as number | boolean);
}

/**
 * Calls any operator of libtorch, with its gradient (PyTorch: `torch.ops.aten`). Arguments go by place, or by name in an
 * object behind them, in camelCase or snake_case:
 *
 *     operator("std", x)
 *     operator("std.correction", x, [1], { correction: 0, keepdim: true })
 *     operator("aten::cdist", x, y)
 *
 * Without an overload behind a point, the arguments choose it: of those that take them, the one with the fewest parameters.
 * Of operators that work in place, such as `add_`, the result is the first argument. libtorch checks what it is given; operators
 * whose names begin with an underscore are its own parts, which trust their callers, and are refused.
 *
 * @returns a tensor, an array of several results, or a number or boolean, as the operator's schema says; name the type
 * where it is not one tensor: `operator<[Tensor, Tensor]>("max.dim", x, 0)`
 * @throws TorchError for an operator, overload or argument that does not exist, naming what there is
 */
export function operator<Result extends OperatorResult = Tensor>(
  name: string,
  ...args: OperatorArgument[]
): Result {
  if (typeof name !== "string")
    throw argumentError(
      "operator",
      `'name' must be the name of an operator such as 'std', but is ${describe(name)}`,
    );
  const found = candidatesOf(name);
  const reasons: string[] = [];
  for (const candidate of found) {
    const bound = bind(candidate, args);
    if ("reason" in bound) reasons.push(bound.reason);
    else return call(candidate, bound.values, args) as Result;
  }
  const [only] = found;
  throw argumentError(
    "operator",
    found.length === 1
      ? `${only!.name} ${reasons[0]}`
      : `${name} must be called as one of these, but ${args.map(describe).join(", ") || "nothing"} was given:` +
          found.map(({ text }, i) => `\n  ${text.replace(/^aten::/, "")}: ${reasons[i]}`).join(""),
  );
}

function call(
  { index, results, parameters }: Candidate,
  values: readonly unknown[],
  args: readonly unknown[],
): OperatorResult {
  const given = values.map(toNative);
  while (given.length > 0 && given.at(-1) === undefined) given.pop();
  if (parameters[0]?.isWritten && results.length === 1 && results[0] === "Tensor" && isTensor(args[0])) {
    native.applyInPlace(index, ...given);
    return args[0];
  }
  const result = native.call(index, ...given);
  if (results.length === 1) return fromNative(result, results[0]!);
  return results.map((type, i) => fromNative((result as unknown[] | undefined)?.[i], type));
}
