// What `console.log` shows of a tensor: PyTorch's way of printing values, below shape, dtype and device.
import { noGrad } from "../autograd.js";
import { arange, cat } from "../operators/operators.generated.js";
import { scope } from "./handles.js";
import type { Tensor } from "./tensor.js";

/** Tensors of more elements are shown by their edges. */
const MOST_ELEMENTS = 1000;
/** Elements shown at each end of a dimension; one where there are many dimensions. */
const EDGE = 3;

/** The elements row by row, in brackets; of large tensors the first and last of each dimension, and no more is copied. */
export function valuesText(tensor: Tensor): string {
  const { shape } = tensor;
  const edge = shape.length > 4 ? 1 : EDGE;
  const isCut = tensor.numel > MOST_ELEMENTS;
  const cut = shape.map((size) => isCut && size > 2 * edge);
  const shown = shape.map((size, i) => (cut[i] ? 2 * edge : size));
  const values = noGrad(() => scope(() => elementsOf(tensor, cut, edge)));
  const texts = textsOf(values, tensor.dtype);
  const width = shape.length === 0 ? 0 : texts.reduce((most, { length }) => Math.max(most, length), 0);
  let next = 0;
  const block = (depth: number, indent: number): string => {
    const size = shown[depth];
    if (size === undefined) return texts[next++]!.padStart(width);
    const last = depth === shape.length - 1;
    const parts = Array.from({ length: size }, () => block(depth + 1, indent + 1));
    if (cut[depth]) parts.splice(edge, 0, "...");
    const between = last ? ", " : `,${"\n".repeat(shape.length - 1 - depth)}${" ".repeat(indent + 1)}`;
    return `[${last ? wrapped(parts, indent + 1) : parts.join(between)}]`;
  };
  return block(0, 0);
}

const LINE = 80;

/** A row, in lines of not many more than 80 characters. */
function wrapped(parts: readonly string[], indent: number): string {
  const lines: string[] = [];
  let line = "";
  for (const [i, part] of parts.entries()) {
    const text = i < parts.length - 1 ? `${part}, ` : part;
    if (line && indent + line.length + part.length > LINE) {
      lines.push(line.trimEnd());
      line = "";
    }
    line += text;
  }
  return [...lines, line].join(`\n${" ".repeat(indent)}`);
}

function elementsOf(tensor: Tensor, cut: readonly boolean[], edge: number): ArrayLike<number | bigint> {
  const values = tensor.detach();
  if (!cut.includes(true)) return values.toTypedArray();
  const { shape, device } = tensor;
  const options = { dtype: "int64", device } as const;
  const indices = shape.map((size, i) => {
    const places = cut[i]
      ? cat([arange(0, edge, 1, options), arange(size - edge, size, 1, options)])
      : arange(0, size, 1, options);
    return places.reshape([-1, ...shape.slice(i + 1).map(() => 1)]); // they broadcast to all that is shown
  });
  return values.index(indices).toTypedArray();
}

/** As PyTorch: whole numbers with a point, four digits behind it, or exponents where sizes differ much. */
function textsOf(values: ArrayLike<number | bigint>, dtype: string): string[] {
  const list = Array.from(values);
  if (dtype === "bool") return list.map((value) => (value ? "true" : "false"));
  if (!/float/.test(dtype)) return list.map(String);
  const numbers = list.map(Number);
  const sizes = numbers.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs);
  const [largest, smallest] = sizes.reduce(
    ([most, least], size) => [Math.max(most, size), Math.min(least, size)],
    [0, Number.POSITIVE_INFINITY],
  );
  const isWhole = sizes.every(Number.isInteger);
  const isWide = largest / smallest > 1000 || largest > 1e8 || smallest < 1e-4;
  const finite = (value: number): string => {
    if (isWhole) return largest > 1e8 ? exponent(value) : `${value === 0 && 1 / value < 0 ? "-0" : value}.`;
    return isWide ? exponent(value) : value.toFixed(4);
  };
  return numbers.map((value) => {
    if (Number.isNaN(value)) return "nan";
    return Number.isFinite(value) ? finite(value) : value > 0 ? "inf" : "-inf";
  });
}

function exponent(value: number): string {
  return value.toExponential(4).replace(/e([+-])(\d)$/, "e$10$2");
}
