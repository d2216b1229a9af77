import { enableGrad, grad } from "./autograd.js";
import { scope } from "./handles.js";
import { native } from "./native.js";
import { SAMPLES, type Sample } from "./numerics-samples.js";
import { randn } from "./operators.generated.js";
import { manualSeed, randomState, setRandomState, workarounds } from "./runtime.js";
import { type Dtype, type Tensor, tensor } from "./tensor.js";

export interface NumericsFault {
  readonly operator: string;
  readonly message: string;
}

export interface NumericsReport {
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
  if (values.shape.length < 2) return values.unsqueeze(-1).expand([...values.shape, 2]).contiguous().select(-1, 0);
  return values.transpose(a, b).contiguous().transpose(a, b);
}

interface Expected {
  readonly outputs: readonly Tensor[];
  /** For every kind of incoming gradient: the gradients of the inputs. */
  readonly gradients: ReadonlyMap<string, readonly Tensor[]>;
  readonly incoming: ReadonlyMap<string, readonly Tensor[]>;
}

function run(sample: Sample, inputs: readonly Tensor[]): Tensor[] {
  const leaves = inputs.map((input) => {
    const leaf = input.detach();
    leaf.requiresGrad = true;
    return leaf;
  });
  const result = sample.run(...leaves);
  return [...leaves, ...(Array.isArray(result) ? result : [result])];
}

function gradientsOf(
  leaves: readonly Tensor[],
  outputs: readonly Tensor[],
  incoming: readonly Tensor[],
  retainGraph: boolean,
): Tensor[] {
  const differentiable = outputs.filter((output) => output.requiresGrad);
  return grad(differentiable, leaves, { gradOutputs: incoming, retainGraph, allowUnused: true }).map(
    (gradient, i) => gradient ?? leaves[i]!.detach().mul(0),
  );
}

function expectedOf(sample: Sample, inputs: readonly Tensor[], dtype: Dtype): Expected {
  const all = run(sample, inputs);
  const leaves = all.slice(0, inputs.length);
  const outputs = all.slice(inputs.length);
  const incoming = new Map<string, Tensor[]>();
  const gradients = new Map<string, Tensor[]>();
  const differentiable = outputs.filter((output) => output.requiresGrad);
  if (differentiable.length > 0) {
    const random = differentiable.map((output) => randn(output.shape).to({ dtype }).to({ dtype: "float64" }));
    // What sum() sends back: one number under every index, all strides 0.
    const constant = differentiable.map((output) => tensor(new Float64Array([0.5]), []).expand(output.shape));
    incoming.set("random", random).set("constant", constant);
    for (const [kind, values] of incoming) gradients.set(kind, gradientsOf(leaves, outputs, values, true));
  }
  return { outputs: outputs.map((output) => output.detach()), gradients, incoming };
}

/** The largest error relative to the largest expected magnitude; infinity where one is not a number. */
function relativeError(actual: Tensor, expected: Tensor): number {
  if (actual.shape.join() !== expected.shape.join()) return Number.POSITIVE_INFINITY;
  if (expected.numel === 0) return 0;
  const difference = actual.detach().to({ dtype: "float64" }).sub(expected).abs().amax().item();
  if (difference === 0) return 0;
  const error = difference / expected.abs().amax().item();
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}

/** Which inputs take the other layout: all, and each alone where there are several. */
function* arrangements(inputs: readonly Tensor[]): Generator<[string, Tensor[]]> {
  for (const [layout, arrange] of Object.entries(LAYOUTS)) {
    yield [layout, inputs.map(arrange)];
    if (layout !== "transposed" || inputs.length < 2) continue;
    for (const chosen of inputs.keys()) {
      yield [`contiguous, ${chosen} ${layout}`, inputs.map((input, i) => (i === chosen ? arrange(input) : input))];
    }
  }
}

class Check {
  checks = 0;
  worst: { ratio: number; message: string } | undefined;

  compare(actual: Tensor, expected: Tensor, tolerance: number, place: string): void {
    this.checks++;
    const error = relativeError(actual, expected);
    if (error <= tolerance || error / tolerance <= (this.worst?.ratio ?? 0)) return;
    const message = `${place} must be within ${tolerance} of float64's, but is off by ${error.toPrecision(2)}`;
    this.worst = { ratio: error / tolerance, message };
  }

  /** One sample in one dtype: every layout of its inputs, every layout of the incoming gradient. */
  sample(sample: Sample, dtype: "float32" | "bfloat16"): void {
    const tolerance = sample[dtype] ?? TOLERANCE[dtype];
    const rounded = sample.inputs().map((input) => input.to({ dtype }));
    const expected = expectedOf(
      sample,
      rounded.map((input) => input.to({ dtype: "float64" })),
      dtype,
    );
    const shapes = rounded.map((input) => `[${input.shape.join(", ")}]`).join(", ");
    for (const [arrangement, inputs] of arrangements(rounded)) {
      scope(() => {
        const all = run(sample, inputs);
        const leaves = all.slice(0, inputs.length);
        const outputs = all.slice(inputs.length);
        const place = `${dtype} ${shapes} ${arrangement}`;
        for (const [i, output] of outputs.entries()) {
          this.compare(output, expected.outputs[i]!, tolerance, `result ${i} of ${place}`);
        }
        for (const [kind, values] of expected.incoming) {
          for (const [layout, arrange] of Object.entries(LAYOUTS)) {
            if (kind === "constant" && layout !== "contiguous") continue;
            const incoming = values.map((value) => arrange(value.to({ dtype })));
            const gradients = gradientsOf(leaves, outputs, incoming, true);
            for (const [i, gradient] of gradients.entries()) {
              const which = `the gradient of input ${i} of ${place} with ${kind} ${layout} incoming gradients`;
              this.compare(gradient, expected.gradients.get(kind)![i]!, tolerance, which);
            }
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
export function checkSamples(samples: readonly Sample[]): NumericsReport {
  const worst = new Map<string, { ratio: number; message: string }>();
  let checks = 0;
  const state = randomState();
  manualSeed(0);
  try {
    for (const sample of samples) {
      if (!isAvailable(sample.operator)) continue;
      for (const dtype of ["float32", "bfloat16"] as const) {
        const check = new Check();
        try {
          enableGrad(() => scope(() => check.sample(sample, dtype)));
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error);
          // Not every operator has a bfloat16 kernel in every libtorch; what is missing is not wrong.
          if (!/not implemented for/.test(message)) check.worst = { ratio: Number.POSITIVE_INFINITY, message };
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
  return { checks, faults, workarounds: workarounds() };
}

/**
 * Compares every operator that this package shows with its float64 self on contiguous tensors: results and
 * gradients, float32 and bfloat16, inputs and incoming gradients in several layouts, sizes that vector loops do
 * not divide. A libtorch whose gradients are silently wrong trains to a plateau or to NaN, so it is looked at
 * before it is used. Takes a few seconds; leaves random state as it was.
 */
export function numericsCheck(): NumericsReport {
  return checkSamples(SAMPLES);
}
