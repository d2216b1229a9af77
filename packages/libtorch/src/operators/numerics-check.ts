import { enableGrad, grad } from "../autograd.js";
import { native } from "../native.js";
import { runOn, SAMPLES, type Sample } from "../numerics-samples/index.js";
import { manualSeed, randomState, setRandomState, workarounds } from "../runtime.js";
import { isTensor, scope } from "../tensors/handles.js";
import type { Device, Dtype, Tensor } from "../tensors/tensor.js";
import { randn, zerosLike } from "./operators.generated.js";

export interface NumericsFault {
  readonly operator: string;
  readonly message: string;
}

export interface NumericsReport {
  /** Where the operators were computed. */
  readonly device: Device;
  /** How many forward results and gradients were compared. */
  readonly checks: number;
  /** The worst fault of every operator that has one. */
  readonly faults: readonly NumericsFault[];
  readonly workarounds: readonly string[];
}

// Errors relative to the largest magnitude of the expected tensor.
const TOLERANCE = { float32: 2e-5, bfloat16: 2e-2 } as const;

/** The same values in other strides: kernels take other paths, and some of them were wrong. */
const LAYOUTS: Readonly<Record<string, (values: Tensor) => Tensor>> = {
  contiguous: (values) => values,
  // The strides of x.transpose(1, 2), as behind the feature encoder.
  transposed: (values) => swapped(values, -2, -1),
  reversed: (values) => swapped(values, 0, -1),
  sliced: (values) => {
    const last = values.shape.length - 1;
    const size = values.shape[last] ?? 1;
    return last < 0 ? values : values.pad([1, size + 2]).slice(last, 1, size + 1);
  },
};

function swapped(values: Tensor, a: number, b: number): Tensor {
  if (values.shape.length < 2)
    return values
      .unsqueeze(-1)
      .expand([...values.shape, 2])
      .contiguous()
      .select(-1, 0);
  return values.transpose(a, b).contiguous().transpose(a, b);
}

/** Incoming gradients of one output: random ones in every layout, and what `sum` sends back. */
const INCOMING: Readonly<Record<string, (values: Tensor) => Tensor>> = {
  ...LAYOUTS,
  // One number under every index: all strides are 0.
  constant: (values) => values.flatten().select(0, 0).abs().expand(values.shape),
};

interface Expected {
  readonly values: Tensor;
  /** The magnitude that errors are relative to. */
  readonly scale: number;
}

interface Reference {
  readonly outputs: readonly Expected[];
  /** Random incoming gradients of the outputs that have one. */
  readonly incoming: readonly Tensor[];
  /** The inputs' gradients for random and for constant incoming ones. */
  readonly random: readonly Expected[];
  readonly constant: readonly Expected[];
}

const magnitude = (values: Tensor) => values.abs().amax().item();

function run(
  sample: Sample,
  inputs: readonly Tensor[],
  device: Device = "cpu",
): { leaves: Tensor[]; outputs: readonly Tensor[] } {
  const leaves = inputs.map((input) => {
    const leaf = input.detach();
    leaf.requiresGrad = true;
    return leaf;
  });
  const result = runOn(device, sample, leaves);
  return { leaves, outputs: isTensor(result) ? [result] : result };
}

/** The leaves' gradients, for incoming gradients of the outputs that have one. */
function gradientsOf(
  leaves: readonly Tensor[],
  outputs: readonly Tensor[],
  incoming: readonly Tensor[],
): readonly Tensor[] {
  if (incoming.length === 0) return [];
  const differentiable = outputs.filter((output) => output.requiresGrad);
  const options = { gradOutputs: incoming, retainGraph: true, allowUnused: true };
  return grad(differentiable, leaves, options).map((gradient, i) => gradient ?? zerosLike(leaves[i]!));
}

/** What the sample gives in float64 for contiguous inputs. */
function referenceOf(sample: Sample, inputs: readonly Tensor[], dtype: Dtype): Reference {
  const { leaves, outputs } = run(sample, inputs);
  const incoming = outputs
    .filter((output) => output.requiresGrad)
    .map((output) => randn(output.shape).to({ dtype }).to({ dtype: "float64" }));
  const random = gradientsOf(leaves, outputs, incoming).map((values) => ({
    values,
    scale: magnitude(values),
  }));
  const constant = gradientsOf(leaves, outputs, incoming.map(INCOMING.constant!)).map((values, i) => ({
    values,
    // A constant incoming gradient cancels in softmax and norms: what remains is small beside its terms.
    scale: Math.max(magnitude(values), random[i]!.scale),
  }));
  const right = outputs.map((output) => {
    const values = output.detach().to({ dtype: "float64" });
    return { values, scale: magnitude(values) };
  });
  return { outputs: right, incoming, random, constant };
}

/** The largest error relative to the expected scale; infinity where one is not a number. */
function relativeError(actual: Tensor, expected: Expected): number {
  if (actual.shape.join() !== expected.values.shape.join()) return Number.POSITIVE_INFINITY;
  const values = actual.detach().to({ device: "cpu" }).to({ dtype: "float64" });
  const difference = magnitude(values.sub(expected.values));
  if (difference === 0) return 0;
  const error = difference / expected.scale;
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}

/** Which inputs take the other layout: all, and each alone where there are several. */
function* arrangements(inputs: readonly Tensor[]): Generator<[string, Tensor[]]> {
  for (const [layout, arrange] of Object.entries(LAYOUTS)) {
    yield [layout, inputs.map(arrange)];
    if (layout !== "transposed" || inputs.length < 2) continue;
    for (const chosen of inputs.keys()) {
      yield [
        `contiguous, ${chosen} ${layout}`,
        inputs.map((input, i) => (i === chosen ? arrange(input) : input)),
      ];
    }
  }
}

class Check {
  constructor(private readonly device: Device) {}

  checks = 0;
  worst: { ratio: number; message: string } | undefined;

  compare(actual: Tensor, expected: Expected, tolerance: number, place: string): void {
    this.checks++;
    const error = relativeError(actual, expected);
    if (error <= tolerance || error / tolerance <= (this.worst?.ratio ?? 0)) return;
    const message = `${place} must be within ${tolerance} of float64's, but is off by ${error.toPrecision(2)}`;
    this.worst = { ratio: error / tolerance, message };
  }

  /** One sample in one dtype: its inputs in every layout, and the incoming gradients in every layout. */
  sample(sample: Sample, dtype: "float32" | "bfloat16"): void {
    const tolerance = sample[dtype] ?? TOLERANCE[dtype];
    const rounded = sample.inputs().map((input) => input.to({ dtype }));
    const reference = referenceOf(
      sample,
      rounded.map((input) => input.to({ dtype: "float64" })),
      dtype,
    );
    const shapes = rounded.map((input) => `[${input.shape.join(", ")}]`).join(", ");
    const { device } = this;
    const moved = rounded.map((input) => input.to({ device }));
    for (const [arrangement, inputs] of arrangements(moved)) {
      scope(() => {
        const { leaves, outputs } = run(sample, inputs, device);
        const differentiable = outputs.filter((output) => output.requiresGrad);
        const place = `${dtype} ${shapes} ${arrangement}`;
        for (const [i, output] of outputs.entries()) {
          this.compare(output, reference.outputs[i]!, tolerance, `result ${i} of ${place}`);
        }
        for (const [layout, arrange] of Object.entries(INCOMING)) {
          // Not every pair: kernels choose by the input's strides or the gradient's.
          if (arrangement !== "contiguous" && layout !== "contiguous" && layout !== arrangement) continue;
          const incoming = reference.incoming.map((values, i) =>
            arrange(values.to({ dtype: differentiable[i]!.dtype }).to({ device })),
          );
          const expected = layout === "constant" ? reference.constant : reference.random;
          for (const [i, gradient] of gradientsOf(leaves, outputs, incoming).entries()) {
            const which = `the gradient of input ${i} of ${place}, incoming gradient ${layout},`;
            this.compare(gradient, expected[i]!, tolerance, which);
          }
        }
      });
    }
  }
}

function isAvailable(schema: string): boolean {
  const [name = "", overload = ""] = schema.split(".");
  return native.lookup(name, overload) >= 0;
}

/** @internal The check over a table of one's own. */
export function checkSamples(samples: readonly Sample[], device: Device = "cpu"): NumericsReport {
  const worst = new Map<string, { ratio: number; message: string }>();
  let checks = 0;
  const state = randomState();
  manualSeed(0);
  try {
    for (const sample of samples) {
      if (!isAvailable(sample.operator)) continue;
      for (const dtype of ["float32", "bfloat16"] as const) {
        const check = new Check(device);
        try {
          enableGrad(() => scope(() => check.sample(sample, dtype)));
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error);
          // Not every operator has a bfloat16 kernel in every libtorch; what is missing is not wrong.
          if (!/not implemented for/.test(message))
            check.worst = { ratio: Number.POSITIVE_INFINITY, message };
        }
        checks += check.checks;
        if (check.worst && check.worst.ratio > (worst.get(sample.operator)?.ratio ?? 0)) {
          worst.set(sample.operator, check.worst);
        }
      }
    }
  } finally {
    setRandomState(state);
  }
  const faults = Array.from(worst, ([operator, { message }]) => ({ operator, message }));
  return { device, checks, faults, workarounds: workarounds() };
}

/**
 * Compares every operator that this package shows with its float64 self on contiguous tensors: results and
 * gradients, float32 and bfloat16, inputs and incoming gradients in several layouts, sizes that vector loops do
 * not divide. A libtorch whose gradients are silently wrong trains to a plateau or to NaN, so it is looked at
 * before it is used. Takes a few seconds; leaves random state as it was. What is computed on `device` is compared with
 * float64 on the CPU.
 */
export function numericsCheck({ device = "cpu" }: { device?: Device } = {}): NumericsReport {
  return checkSamples(SAMPLES, device);
}
