import { cat, full, type nn, noGrad, optim, scope, stack, type Tensor } from "@wav2vec2/libtorch";
import type { Histogram } from "../../tracking/tracker.js";

const BINS = 64;
/** Numbers read of a tensor: its least value and its greatest, and the count of each bin. */
const NUMBERS = 2 + BINS;

/**
 * How the weights of a module and their gradients are spread, under `weights/<name>` and `gradients/<name>`: bins of equal width from
 * the least finite value to the greatest. What is not finite is not counted, and a tensor without any finite value, and a
 * gradient that is not there, is left out. All is counted on the device and read at once.
 */
export function histogramsOf(module: nn.Module): Record<string, Histogram> {
  const names: string[] = [];
  const numbers = noGrad(() =>
    scope(() => {
      const counted: Tensor[] = [];
      for (const [name, parameter] of module.namedParameters()) {
        for (const [kind, values] of [
          ["weights", parameter],
          ["gradients", parameter.grad],
        ] as const) {
          if (!values?.numel) continue;
          names.push(`${kind}/${name}`);
          counted.push(scope(() => count(values.detach())));
        }
      }
      return counted.length > 0 ? cat(counted).toArray() : [];
    }),
  );
  return Object.fromEntries(
    names.flatMap((name, index) => {
      const [least, greatest, ...counts] = numbers.slice(index * NUMBERS, (index + 1) * NUMBERS);
      return least! <= greatest! ? [[name, { edges: edges(least!, greatest!), counts }]] : [];
    }),
  );
}

/** @returns [NUMBERS], on the values' device */
function count(values: Tensor): Tensor {
  const { device } = values;
  const dtype = optim.accumulationDtype(device);
  const finite = values.isfinite();
  const least = values.maskedFill(finite.logicalNot(), Number.POSITIVE_INFINITY).amin();
  const greatest = values.maskedFill(finite.logicalNot(), Number.NEGATIVE_INFINITY).amax();
  // Halves, as the width of all bins together may be more than the type of number holds.
  const half = values.maskedFill(finite.logicalNot(), 0).mul(0.5).sub(least.mul(0.5));
  const width = greatest.mul(0.5).sub(least.mul(0.5));
  const bin = half
    .div(width.add(width.eq(0)))
    .mul(BINS)
    .clamp(0, BINS - 1); // all are in the first where all are the same
  const place = bin.to({ dtype: "int64" }).maskedFill(finite.logicalNot(), BINS).flatten(); // behind the last
  const counts = full([BINS + 1], 0, { dtype: "int64", device });
  counts.indexPut_([place], full([], 1, { dtype: "int64", device }), true);
  return cat([stack([least, greatest]).to({ dtype }), counts.narrow(0, 0, BINS).to({ dtype })]);
}

/** [BINS + 1] */
function edges(least: number, greatest: number): number[] {
  const width = greatest > least ? greatest - least : 1;
  return Array.from({ length: BINS + 1 }, (_, edge) => least + (width * edge) / BINS);
}
