import type { BinaryWriter } from "@bufbuild/protobuf/wire";
import { lazyPackage } from "../../lazy-package.js";

const wire = lazyPackage<typeof import("@bufbuild/protobuf/wire")>("@bufbuild/protobuf/wire");

/**
 * A part of a message: pieces that follow one another, so that weights are written from where they lie and never copied
 * together.
 */
export type Part = readonly Uint8Array[];

function written(write: (writer: BinaryWriter) => BinaryWriter): Part {
  return [write(new wire.BinaryWriter()).finish()];
}

/** A field of an int32, int64, enum or bool. */
export const integer = (field: number, value: number): Part =>
  written((writer) => writer.tag(field, wire.WireType.Varint).int64(value));

export const float = (field: number, value: number): Part =>
  written((writer) => writer.tag(field, wire.WireType.Bit32).float(value));

export const text = (field: number, value: string): Part =>
  written((writer) => writer.tag(field, wire.WireType.LengthDelimited).string(value));

export const bytes = (field: number, value: Uint8Array): Part => nested(field, [value]);

export const message = (field: number, parts: readonly Part[]): Part => nested(field, parts.flat());

function nested(field: number, pieces: Part): Part {
  const length = lengthOf(pieces);
  return [...written((writer) => writer.tag(field, wire.WireType.LengthDelimited).uint32(length)), ...pieces];
}

function lengthOf(pieces: Part): number {
  return pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** Element types of tensors (`TensorProto.DataType`). */
export const TYPES = { float32: 1, uint8: 2, int8: 3, int64: 7, bool: 9, float16: 10 } as const;

/** An axis of a fixed size, or one that has a name. */
export type Axis = number | string;

// Numbers of fields are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.

/** A `ValueInfoProto`: an input or output of the graph. */
export function valueInfo(name: string, type: keyof typeof TYPES, shape: readonly Axis[]): Part[] {
  const axes = shape.map((axis) => message(1, [typeof axis === "number" ? integer(1, axis) : text(2, axis)]));
  const tensorType = message(1, [integer(1, TYPES[type]), message(2, axes)]);
  return [text(1, name), message(2, [tensorType])];
}

/** Where the values of a tensor lie in a file beside the model. */
export interface External {
  file: string;
  offset: number;
}

/** A `TensorProto`. */
export function tensorProto(
  name: string,
  type: keyof typeof TYPES,
  shape: readonly number[],
  values: Uint8Array,
  external?: External | undefined,
): Part[] {
  const head = [...shape.map((size) => integer(1, size)), integer(2, TYPES[type]), text(8, name)];
  if (!external) return [...head, bytes(9, values)];
  const where = { location: external.file, offset: external.offset, length: values.byteLength };
  const entries = Object.entries(where).map(([key, value]) => message(13, entry(key, String(value))));
  return [...head, ...entries, integer(14, 1)];
}

/** A `StringStringEntryProto`. */
export function entry(key: string, value: string): Part[] {
  return [text(1, key), text(2, value)];
}

/** What an attribute of a node can be: a whole number, a real one (with `real`), a text, whole numbers. */
export type Attribute = number | string | readonly number[] | { real: number };

/** An `AttributeProto`. */
function attribute(name: string, value: Attribute): Part[] {
  const named = text(1, name);
  if (typeof value === "number") return [named, integer(3, value), integer(20, 2)];
  if (typeof value === "string") return [named, bytes(4, new TextEncoder().encode(value)), integer(20, 3)];
  if ("real" in value) return [named, float(2, value.real), integer(20, 1)];
  return [named, ...value.map((each) => integer(8, each)), integer(20, 7)];
}

/** A `NodeProto`. @param domain whose operator it is; "" is the standard's */
export function nodeProto(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>>,
  domain = "",
): Part[] {
  return [
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(3, outputs[0]!),
    text(4, operator),
    ...Object.entries(attributes).map(([name, value]) => message(5, attribute(name, value))),
    ...(domain === "" ? [] : [text(7, domain)]),
  ];
}
