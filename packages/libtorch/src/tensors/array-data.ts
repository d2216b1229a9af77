// What JavaScript has of numbers, as memory that the bridge takes: flat, of one dtype, with its shape.
import { describe } from "../arguments.js";
import { argumentError } from "../errors.js";
import type { Dtype, TypedArray } from "./tensor.js";

/** Numbers in arrays of any depth, the same number of elements everywhere. */
export type NestedArray = readonly (number | boolean | bigint | NodeJS.TypedArray | NestedArray)[];

export interface ArrayData {
  readonly values: TypedArray;
  readonly shape: readonly number[];
  /** What the values are where nobody asks for another dtype. */
  readonly dtype: Dtype;
}

/** As many as libtorch takes. */
const MOST_DIMENSIONS = 64;

/** Whole numbers that a dtype holds. */
const RANGES: Partial<Record<Dtype, readonly [low: number, high: number]>> = {
  int64: [-(2 ** 63), 2 ** 63],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint8: [0, 255],
};

/**
 * @param dtype that the values are going to be of, where one is asked for
 * @throws TorchError that names the element which is no number, of another length than its neighbours, or not in the dtype
 */
export function arrayData(data: unknown, dtype: Dtype | undefined): ArrayData {
  const given = ArrayBuffer.isView(data) ? ofTypedArray(data, "data") : ofNested(data, dtype);
  if (dtype !== undefined && dtype !== given.dtype) checkRange(given, dtype);
  return given;
}

/** The dtype of an array's own memory; undefined where no dtype is laid out so. */
export function dtypeOf(array: unknown): Dtype | undefined {
  if (array instanceof Float32Array) return "float32";
  if (array instanceof Float64Array) return "float64";
  if (array instanceof BigInt64Array) return "int64";
  if (array instanceof Int32Array) return "int32";
  if (array instanceof Uint8Array || array instanceof Uint8ClampedArray) return "uint8";
  return undefined;
}

/** Arrays of other elements take the narrowest dtype that holds them all. */
function ofTypedArray(array: ArrayBufferView, where: string): ArrayData {
  const of = (values: TypedArray, dtype: Dtype) => ({ values, shape: [values.length], dtype });
  if (array instanceof Uint8ClampedArray)
    return of(new Uint8Array(array.buffer, array.byteOffset, array.length), "uint8");
  const dtype = dtypeOf(array);
  if (dtype) return of(array as TypedArray, dtype);
  if (array instanceof Int8Array || array instanceof Int16Array || array instanceof Uint16Array)
    return of(Int32Array.from(array), "int32");
  if (array instanceof Uint32Array) return of(BigInt64Array.from(array, BigInt), "int64");
  if (array instanceof BigUint64Array && array.every((value) => value < 2n ** 63n))
    return of(BigInt64Array.from(array), "int64");
  throw argumentError(
    "tensor",
    array instanceof BigUint64Array
      ? `${where} must hold numbers below 2^63, but one is larger`
      : `${where} must be a number or an array of numbers, but is ${describe(array)}. Give one such as ` +
          "new Float32Array(buffer)",
  );
}

/** Follows the first elements down. */
function shapeOf(data: unknown): number[] {
  const shape: number[] = [];
  for (let part = data; Array.isArray(part) || ArrayBuffer.isView(part); part = (part as unknown[])[0]) {
    if (shape.length === MOST_DIMENSIONS)
      throw argumentError("tensor", `data must be nested at most ${MOST_DIMENSIONS} deep, but is deeper`);
    if (ArrayBuffer.isView(part))
      return [...shape, ofTypedArray(part, nameOf(shape.map(() => 0))).values.length];
    shape.push(part.length);
    if (part.length === 0) break;
  }
  return shape;
}

function ofNested(data: unknown, asked: Dtype | undefined): ArrayData {
  const shape = shapeOf(data);
  const kinds = new Set<string>();
  const count = shape.reduce((product, size) => product * size, 1);
  const leaves: (number | bigint)[] = new Array(count);
  let filled = 0;
  const take = (part: unknown, place: number[]): void => {
    const depth = place.length;
    if (depth === shape.length) {
      kinds.add(typeof part);
      if (typeof part === "boolean") leaves[filled++] = Number(part);
      else if (typeof part === "number" || typeof part === "bigint") leaves[filled++] = part;
      else throw refusal(place, depth === 0 ? "a number or an array of numbers" : "a number", part);
      return;
    }
    const size = shape[depth]!;
    if (ArrayBuffer.isView(part) && depth === shape.length - 1) {
      const { values, dtype } = ofTypedArray(part, nameOf(place));
      if (values.length !== size) throw lengthRefusal(place, size, values.length);
      kinds.add(dtype);
      for (const value of values) leaves[filled++] = value;
      return;
    }
    if (!Array.isArray(part)) throw refusal(place, `an array of ${size} elements`, part);
    if (part.length !== size) throw lengthRefusal(place, size, part.length);
    for (let i = 0; i < size; i++) {
      place.push(i);
      take(part[i], place);
      place.pop();
    }
  };
  take(data, []);
  const [kind] = kinds;
  const only = kinds.size === 1 ? kind : undefined;
  const dtype =
    only === "boolean" ? "bool" : only === "bigint" ? "int64" : only === "number" ? "float32" : only;
  // Of several kinds, numbers of 64 bits keep all their digits where they are asked for.
  const isWhole = kinds.has("bigint") || kinds.has("int64");
  const inferred = (dtype ?? "float32") as Dtype;
  if (isWhole && (asked ?? inferred) === "int64")
    return { values: bigints(leaves, shape), shape, dtype: "int64" };
  return { values: Float64Array.from(leaves, Number), shape, dtype: inferred };
}

function bigints(leaves: readonly (number | bigint)[], shape: readonly number[]): BigInt64Array {
  const values = new BigInt64Array(leaves.length);
  for (const [i, leaf] of leaves.entries()) {
    if (typeof leaf === "number") checkWhole(leaf, i, shape, "int64");
    const value = BigInt(leaf);
    if (BigInt.asIntN(64, value) !== value) throw refusal(placeOf(i, shape), "a number of int64", leaf);
    values[i] = value;
  }
  return values;
}

/** That no value changes but by rounding, where integers are asked for. */
function checkRange({ values, shape }: ArrayData, dtype: Dtype): void {
  if (dtype === "bool" && (values instanceof Float32Array || values instanceof Float64Array)) {
    const place = values.findIndex(Number.isNaN);
    if (place >= 0) throw refusal(placeOf(place, shape), "a number or a boolean", Number.NaN);
  }
  const range = RANGES[dtype];
  if (!range || (dtype === "int64" && values instanceof Int32Array)) return;
  for (let i = 0; i < values.length; i++) checkWhole(Number(values[i]), i, shape, dtype);
}

function checkWhole(value: number, i: number, shape: readonly number[], dtype: Dtype): void {
  const [low, high] = RANGES[dtype]!;
  if (Number.isInteger(value) && value >= low && value <= high && value !== 2 ** 63) return;
  throw refusal(placeOf(i, shape), `a whole number of ${dtype}`, value);
}

function placeOf(i: number, shape: readonly number[]): number[] {
  const place: number[] = [];
  let rest = i;
  for (const size of [...shape].reverse()) {
    place.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return place;
}

function nameOf(place: readonly number[]): string {
  return place.length === 0 ? "data" : `element ${place.map((i) => `[${i}]`).join("")}`;
}

function refusal(place: readonly number[], what: string, value: unknown) {
  const kind = describe(value);
  const advice = /\bTensor$/.test(kind) ? (place.length > 0 ? ". Use stack" : ". Use clone") : "";
  return argumentError("tensor", `${nameOf(place)} must be ${what}, but is ${kind}${advice}`);
}

function lengthRefusal(place: readonly number[], size: number, length: number) {
  return argumentError(
    "tensor",
    `${nameOf(place)} must have ${size} elements as its neighbours, but has ${length}`,
  );
}
