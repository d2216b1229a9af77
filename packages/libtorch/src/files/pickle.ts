import { quote } from "./safetensors-json.js";
import { TensorFileError } from "./tensor-source.js";

/**
 * A reader of Python pickles that runs nothing: the opcodes that `torch.save` writes for a dict of tensors
 * (protocols 2 to 5), and of the objects that a pickle names only those that {@link PickleRules} knows.
 * https://docs.python.org/3/library/pickletools.html describes the opcodes.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | PickleValue[]
  | PickleTuple
  | PickleDict
  | PickleGlobal
  | PickleObject;

/** Keys that are strings or numbers are equal by value, others by identity. */
export class PickleDict extends Map<PickleValue, PickleValue> {}

export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** Something that a pickle names, as `torch.FloatStorage`, and what a call of it makes. */
export class PickleGlobal {
  constructor(
    readonly name: string,
    readonly call?: (args: readonly PickleValue[]) => PickleValue,
  ) {}
}

/** What rules make of calls and of persistent ids. */
export abstract class PickleObject {
  /** For messages: "a storage" */
  abstract readonly kind: string;
}

export interface PickleRules {
  /** By name with its module, as `collections.OrderedDict`; all others are refused by name. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** The object that lies outside the pickle under this id. */
  persistent(id: PickleValue): PickleValue;
}

/** What a value is, for messages. */
export function kindOf(value: PickleValue): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number" || typeof value === "bigint") return `the number ${value}`;
  if (typeof value === "string") return `the text ${quote(value.slice(0, 40))}`;
  if (Array.isArray(value)) return "a list";
  if (value instanceof PickleTuple) return "a tuple";
  if (value instanceof PickleDict) return "a dict";
  if (value instanceof PickleGlobal) return value.name;
  return value.kind;
}

const HIGHEST_PROTOCOL = 5;

/**
 * The object that a pickle describes.
 * @param path for messages
 * @throws {TensorFileError} for anything but the allowed opcodes and names, and for damage
 */
export function unpickle(bytes: Uint8Array, path: string, rules: PickleRules): PickleValue {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const stack: PickleValue[] = [];
  /** Heights of the stack where a MARK was set. */
  const marks: number[] = [];
  const memo = new Map<number, PickleValue>();
  let at = 0;

  function fail(fault: string): never {
    throw new TensorFileError(`The pickle in ${path} must be whole, but ${fault} at byte ${at}.`);
  }

  /** Moves over so many bytes. @returns where they begin */
  function take(count: number): number {
    if (count > bytes.byteLength - at) fail("ends too early");
    at += count;
    return at - count;
  }

  function text(length: number): string {
    const start = take(length);
    try {
      return utf8.decode(bytes.subarray(start, start + length));
    } catch {
      return fail("has text that is not UTF-8");
    }
  }

  function line(): string {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) fail("ends too early");
    const found = text(end - at);
    take(1);
    return found;
  }

  function pop(): PickleValue {
    const value = stack.length > (marks.at(-1) ?? 0) ? stack.pop() : undefined;
    return value === undefined ? fail("takes a value that is not there") : value;
  }

  function popToMark(): PickleValue[] {
    const height = marks.pop();
    return height === undefined ? fail("takes a mark that is not there") : stack.splice(height);
  }

  function top(): PickleValue {
    const value = pop();
    stack.push(value);
    return value;
  }

  function recall(index: number): PickleValue {
    const value = memo.get(index);
    return value === undefined ? fail("recalls a value that was never stored") : value;
  }

  function setItems(items: readonly PickleValue[]): void {
    const dict = top();
    if (!(dict instanceof PickleDict) || items.length % 2 !== 0) fail("sets items of no dict");
    for (let i = 0; i < items.length; i += 2) dict.set(items[i]!, items[i + 1]!);
  }

  function append(items: readonly PickleValue[]): void {
    const list = top();
    if (!Array.isArray(list)) fail("appends to no list");
    for (const item of items) list.push(item);
  }

  function global(module: PickleValue, name: PickleValue): PickleGlobal {
    if (typeof module !== "string" || typeof name !== "string") return fail("has a name that is no text");
    const full = `${module}.${name}`;
    const found = rules.globals.get(full);
    if (found) return found;
    const shown = /^[\w.<>]{1,100}$/.test(full) ? full : quote(full.slice(0, 100));
    throw new TensorFileError(
      `${path} must hold only tensors, but its pickle names ${shown}. Nothing of it was run. ` +
        "Where you trust the file, convert it to safetensors.",
    );
  }

  function reduce(): PickleValue {
    const args = pop();
    const callee = pop();
    if (!(callee instanceof PickleGlobal) || !callee.call || !(args instanceof PickleTuple)) {
      throw new TensorFileError(`${path} must hold only tensors, but its pickle calls ${kindOf(callee)}.`);
    }
    return callee.call(args.items);
  }

  /** Attributes of an ordered dict, such as `_metadata` of a state dict, are left out. */
  function build(): void {
    const state = pop();
    if (!(state instanceof PickleDict) || !(top() instanceof PickleDict)) {
      throw new TensorFileError(
        `${path} must hold only tensors, but its pickle sets the state of ${kindOf(top())}.`,
      );
    }
  }

  function long(length: number): number | bigint {
    if (length > 8) return fail("has a number of more than 8 bytes");
    const start = take(length);
    let value = 0n;
    for (let i = 0; i < length; i++) value |= BigInt(bytes[start + i]!) << BigInt(8 * i);
    value = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  const opcodes: Record<number, () => void> = {
    128: () => {
      const protocol = view.getUint8(take(1)); // PROTO
      if (protocol > HIGHEST_PROTOCOL) fail(`is of protocol ${protocol}`);
    },
    149: () => take(8), // FRAME: how much a reader may fetch at once
    40: () => marks.push(stack.length), // MARK
    78: () => stack.push(null), // NONE
    136: () => stack.push(true), // NEWTRUE
    137: () => stack.push(false), // NEWFALSE
    74: () => stack.push(view.getInt32(take(4), true)), // BININT
    75: () => stack.push(view.getUint8(take(1))), // BININT1
    77: () => stack.push(view.getUint16(take(2), true)), // BININT2
    138: () => stack.push(long(view.getUint8(take(1)))), // LONG1
    71: () => stack.push(view.getFloat64(take(8))), // BINFLOAT
    88: () => stack.push(text(view.getUint32(take(4), true))), // BINUNICODE
    140: () => stack.push(text(view.getUint8(take(1)))), // SHORT_BINUNICODE
    125: () => stack.push(new PickleDict()), // EMPTY_DICT
    115: () => {
      const value = pop(); // SETITEM
      setItems([pop(), value]);
    },
    117: () => setItems(popToMark()), // SETITEMS
    93: () => stack.push([]), // EMPTY_LIST
    97: () => append([pop()]), // APPEND
    101: () => append(popToMark()), // APPENDS
    41: () => stack.push(new PickleTuple([])), // EMPTY_TUPLE
    116: () => stack.push(new PickleTuple(popToMark())), // TUPLE
    133: () => stack.push(new PickleTuple([pop()])), // TUPLE1
    134: () => stack.push(new PickleTuple([pop(), pop()].reverse())), // TUPLE2
    135: () => stack.push(new PickleTuple([pop(), pop(), pop()].reverse())), // TUPLE3
    113: () => memo.set(view.getUint8(take(1)), top()), // BINPUT
    114: () => memo.set(view.getUint32(take(4), true), top()), // LONG_BINPUT
    148: () => memo.set(memo.size, top()), // MEMOIZE
    104: () => stack.push(recall(view.getUint8(take(1)))), // BINGET
    106: () => stack.push(recall(view.getUint32(take(4), true))), // LONG_BINGET
    99: () => stack.push(global(line(), line())), // GLOBAL
    147: () => {
      const name = pop(); // STACK_GLOBAL
      stack.push(global(pop(), name));
    },
    82: () => stack.push(reduce()), // REDUCE
    98: build, // BUILD
    81: () => stack.push(rules.persistent(pop())), // BINPERSID
  };

  const STOP = 0x2e;
  for (;;) {
    const opcode = bytes[take(1)]!;
    if (opcode === STOP) break;
    const run = opcodes[opcode];
    if (!run) fail(`has opcode 0x${opcode.toString(16)}, which no dict of tensors needs,`);
    run();
  }
  const result = pop();
  if (stack.length > 0 || marks.length > 0) fail("leaves values over");
  return result;
}
