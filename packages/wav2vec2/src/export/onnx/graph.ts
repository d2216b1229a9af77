import type { Tensor } from "@wav2vec2/libtorch";
import {
  type Attribute,
  type Axis,
  integer,
  message,
  nodeProto,
  type Part,
  TYPES,
  text,
  valueInfo,
} from "./messages.js";
import { FLOAT32, type NumberFormat } from "./number-format.js";

/** A value in the graph: the name of what a node, an input or a weight holds. */
export type Value = string;

/** Numbers that the graph holds, in row-major order. */
export interface Constant {
  name: string;
  type: Exclude<keyof typeof TYPES, "bool">;
  shape: readonly number[];
  values: Uint8Array;
}

/** Operators are those of this version of the standard (https://onnx.ai/onnx/operators): Gelu is one since 20. */
const OPSET = 20;
/** The version of the file format that came with it. */
const IR_VERSION = 9;
/** Of onnxruntime's own operators, which have one version. */
const MICROSOFT = "com.microsoft";

/** Builds a graph node by node, in the order in which it is computed. */
export class Graph {
  readonly constants: Constant[] = [];
  readonly format: NumberFormat;
  /** Names of the layers that have products with weights. */
  readonly products = new Set<string>();
  readonly #nodes: Part[] = [];
  readonly #inputs: Part[] = [];
  readonly #outputs: Part[] = [];
  readonly #counts = new Map<string, number>();
  readonly #integers = new Map<string, Value>();
  /** Values in half precision. */
  readonly #halves = new Set<Value>();
  /** What a value is in the other precision, so that it is converted once. */
  readonly #converted = new Map<Value, Value>();
  #usesMicrosoft = false;

  constructor(format: NumberFormat = FLOAT32) {
    this.format = format;
  }

  input(name: string, type: keyof typeof TYPES, shape: readonly Axis[]): Value {
    this.#inputs.push(message(11, valueInfo(name, type, shape)));
    return name;
  }

  /** An input that may be left out: it is then as `values` says. */
  optionalInput(
    name: string,
    shape: readonly Axis[],
    values: readonly number[],
    valuesShape: readonly number[],
  ): Value {
    const memory = BigInt64Array.from(values, BigInt);
    this.constants.push({ name, type: "int64", shape: valuesShape, values: new Uint8Array(memory.buffer) });
    return this.input(name, "int64", shape);
  }

  output(name: string, value: Value, shape: readonly Axis[]): void {
    this.#nodes.push(message(1, nodeProto("Identity", [this.full(value)], [name], {})));
    this.#outputs.push(message(12, valueInfo(name, "float32", shape)));
  }

  /** The value that an operator of one output makes. */
  node(operator: string, inputs: readonly Value[], attributes: Record<string, Attribute> = {}): Value {
    return this.nodes(operator, inputs, 1, attributes)[0]!;
  }

  /** What operators make of halves are halves: all inputs are of one precision then. */
  nodes(
    operator: string,
    inputs: readonly Value[],
    count: number,
    attributes: Record<string, Attribute> = {},
  ): Value[] {
    const outputs = Array.from({ length: count }, () => this.#unique(operator));
    this.#nodes.push(message(1, nodeProto(operator, inputs, outputs, attributes)));
    if (this.#halves.has(inputs[0]!)) for (const output of outputs) this.#halves.add(output);
    return outputs;
  }

  /** The value that one of onnxruntime's own operators makes. */
  microsoftNode(operator: string, inputs: readonly Value[], attributes: Record<string, Attribute>): Value {
    const output = this.#unique(operator);
    this.#nodes.push(message(1, nodeProto(operator, inputs, [output], attributes, MICROSOFT)));
    this.#usesMicrosoft = true;
    return output;
  }

  /** The same value in the precision of products: half where the format says so. */
  forProducts(value: Value): Value {
    return this.format.half && !this.#halves.has(value) ? this.#cast(value, "float16") : value;
  }

  /** The same value in float32. */
  full(value: Value): Value {
    return this.#halves.has(value) ? this.#cast(value, "float32") : value;
  }

  /** A weight, copied, in the precision of the value that it is computed with. */
  weight(values: Tensor, { beside }: { beside?: Value | undefined } = {}): Value {
    const { shape } = values;
    if (beside !== undefined && this.#halves.has(beside)) {
      const name = this.constant("weight", "float16", shape, values.to({ dtype: "float16" }).toBytes());
      this.#halves.add(name);
      return name;
    }
    return this.constant("weight", "float32", shape, new Uint8Array(values.toFloat32Array().buffer));
  }

  number(value: number): Value {
    return this.constant("number", "float32", [], new Uint8Array(Float32Array.of(value).buffer));
  }

  /** Whole numbers, [count], or one without an axis. */
  integers(values: readonly number[] | number): Value {
    const key = JSON.stringify(values);
    const known = this.#integers.get(key);
    if (known !== undefined) return known;
    const list = typeof values === "number" ? [values] : values;
    const shape = typeof values === "number" ? [] : [values.length];
    const memory = BigInt64Array.from(list, BigInt);
    const made = this.constant("integers", "int64", shape, new Uint8Array(memory.buffer));
    this.#integers.set(key, made);
    return made;
  }

  /** Numbers that stand in the file as they are. @param kind begins their name */
  constant(kind: string, type: Constant["type"], shape: readonly number[], values: Uint8Array): Value {
    const name = this.#unique(kind);
    this.constants.push({ name, type, shape, values });
    return name;
  }

  /** A `ModelProto`. @param initializers the constants, as they are to stand in it */
  model(initializers: readonly Part[], producer: string): Part {
    const graph = [...this.#nodes, text(2, "wav2vec2"), ...initializers, ...this.#inputs, ...this.#outputs];
    return [
      integer(1, IR_VERSION),
      text(2, producer),
      message(7, graph),
      message(8, [integer(2, OPSET)]),
      ...(this.#usesMicrosoft ? [message(8, [text(1, MICROSOFT), integer(2, 1)])] : []),
    ].flat();
  }

  #cast(value: Value, type: "float16" | "float32"): Value {
    const known = this.#converted.get(value);
    if (known !== undefined) return known;
    const made = this.#unique("Cast");
    this.#nodes.push(message(1, nodeProto("Cast", [value], [made], { to: TYPES[type] })));
    if (type === "float16") this.#halves.add(made);
    this.#converted.set(value, made);
    this.#converted.set(made, value);
    return made;
  }

  #unique(kind: string): string {
    const count = this.#counts.get(kind) ?? 0;
    this.#counts.set(kind, count + 1);
    return `${kind}_${count}`;
  }
}
