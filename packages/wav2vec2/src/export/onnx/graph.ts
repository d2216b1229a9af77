import type { Tensor } from "@wav2vec2/libtorch";
import {
  type Attribute,
  type Axis,
  integer,
  message,
  nodeProto,
  type Part,
  type TYPES,
  text,
  valueInfo,
} from "./messages.js";

/** A value in the graph: the name of what a node, an input or a weight holds. */
export type Value = string;

/** Numbers that the graph holds, in row-major order. */
export interface Constant {
  name: string;
  type: "float32" | "int64";
  shape: readonly number[];
  values: Uint8Array;
}

/** Operators are those of this version of the standard (https://onnx.ai/onnx/operators): Gelu is one since 20. */
const OPSET = 20;
/** The version of the file format that came with it. */
const IR_VERSION = 9;

/** Builds a graph node by node, in the order in which it is computed. */
export class Graph {
  readonly constants: Constant[] = [];
  readonly #nodes: Part[] = [];
  readonly #inputs: Part[] = [];
  readonly #outputs: Part[] = [];
  readonly #counts = new Map<string, number>();
  readonly #integers = new Map<string, Value>();

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
    this.#nodes.push(message(1, nodeProto("Identity", [value], [name], {})));
    this.#outputs.push(message(12, valueInfo(name, "float32", shape)));
  }

  /** The value that an operator of one output makes. */
  node(operator: string, inputs: readonly Value[], attributes: Record<string, Attribute> = {}): Value {
    return this.nodes(operator, inputs, 1, attributes)[0]!;
  }

  nodes(
    operator: string,
    inputs: readonly Value[],
    count: number,
    attributes: Record<string, Attribute> = {},
  ): Value[] {
    const outputs = Array.from({ length: count }, () => this.#unique(operator));
    this.#nodes.push(message(1, nodeProto(operator, inputs, outputs, attributes)));
    return outputs;
  }

  /** A weight in float32, copied. */
  weight(values: Tensor): Value {
    const { shape } = values;
    return this.#constant("weight", "float32", shape, new Uint8Array(values.toFloat32Array().buffer));
  }

  number(value: number): Value {
    return this.#constant("number", "float32", [], new Uint8Array(Float32Array.of(value).buffer));
  }

  /** Whole numbers, [count], or one without an axis. */
  integers(values: readonly number[] | number): Value {
    const key = JSON.stringify(values);
    const known = this.#integers.get(key);
    if (known !== undefined) return known;
    const list = typeof values === "number" ? [values] : values;
    const shape = typeof values === "number" ? [] : [values.length];
    const memory = BigInt64Array.from(list, BigInt);
    const made = this.#constant("integers", "int64", shape, new Uint8Array(memory.buffer));
    this.#integers.set(key, made);
    return made;
  }

  /** A `ModelProto`. @param initializers the constants, as they are to stand in it */
  model(initializers: readonly Part[], producer: string): Part {
    const graph = [...this.#nodes, text(2, "wav2vec2"), ...initializers, ...this.#inputs, ...this.#outputs];
    return [
      integer(1, IR_VERSION),
      text(2, producer),
      message(7, graph),
      message(8, [integer(2, OPSET)]),
    ].flat();
  }

  #constant(kind: string, type: Constant["type"], shape: readonly number[], values: Uint8Array): Value {
    const name = this.#unique(kind);
    this.constants.push({ name, type, shape, values });
    return name;
  }

  #unique(kind: string): string {
    const count = this.#counts.get(kind) ?? 0;
    this.#counts.set(kind, count + 1);
    return `${kind}_${count}`;
  }
}
