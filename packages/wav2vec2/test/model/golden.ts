import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadState, loadTensors, type nn, type Tensor } from "@wav2vec2/libtorch";
import { expect } from "vitest";
import type { Wav2Vec2Config } from "../../src/model/configuration.js";
import { configFromHuggingFace, configWithKeys } from "../../src/model/configuration-file.js";
import { ownKey } from "../../src/model/model-type.js";

/** One pass of a golden file's model: see reference/golden_models.py. */
export interface GoldenRun {
  readonly name: string;
  readonly train: boolean;
  /** Changed keys of the configuration. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Whether the model is told each clip's own samples. */
  readonly lengths: boolean;
  /** Of the Gumbel softmax. */
  readonly temperature?: number;
  /** The worst relative error of Hugging Face's own pass in float32. */
  readonly float32_error: number;
}

/** Where models compute; what they are compared with stays on the CPU. benchmarks/gpu.mjs names a GPU. */
export const DEVICE = process.env.WAV2VEC2_TEST_DEVICE ?? "cpu";

const directory = new URL("../golden/", import.meta.url);
const pathOf = (name: string) => fileURLToPath(new URL(`${name}.safetensors`, directory));

/** The golden files whose names start so, without their extension. */
export function goldenFiles(...prefixes: string[]): string[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith(".safetensors") && prefixes.some((prefix) => file.startsWith(prefix)))
    .map((file) => file.replace(/\.safetensors$/, ""))
    .sort();
}

/** One model's weights, and what Hugging Face's implementation makes of the shared inputs. */
export class Golden {
  private constructor(
    readonly name: string,
    readonly tensors: ReadonlyMap<string, Tensor>,
    readonly metadata: Readonly<Record<string, string>>,
  ) {}

  static async load(name: string): Promise<Golden> {
    const { tensors, metadata } = await loadTensors(pathOf(name));
    return new Golden(name, tensors, JSON.parse(metadata.golden ?? "{}"));
  }

  get runs(): readonly GoldenRun[] {
    return JSON.parse(this.metadata.runs!);
  }

  config(changes: GoldenRun["config"] = {}): Wav2Vec2Config {
    const path = pathOf(this.name);
    return configWithKeys(configFromHuggingFace(JSON.parse(this.metadata.config!), path), changes, path);
  }

  /** The file's weights in `model`, which must have these and no others. */
  async loadInto<M extends nn.Module>(model: M): Promise<M> {
    const mismatch = await loadState(model, pathOf(this.name), {
      rename: (key) => (key.startsWith("state.") ? ownKey(key.slice("state.".length)) : undefined),
    });
    expect(mismatch, this.name).toEqual({ missing: [], unexpected: [], misshaped: [] });
    return model.to({ device: DEVICE });
  }

  find(key: string): Tensor | undefined {
    return this.tensors.get(key);
  }

  /** An input of the model, on its device. */
  given(key: string): Tensor | undefined {
    return this.find(key)?.to({ device: DEVICE });
  }

  get(key: string): Tensor {
    const tensor = this.tensors.get(key);
    if (!tensor) throw new Error(`${this.name} has no ${key}`);
    return tensor;
  }

  /** The tensors of a run by their names in it. */
  *of(run: string): Iterable<[string, Tensor]> {
    for (const [key, tensor] of this.tensors) {
      if (key.startsWith(`${run}/`)) yield [key.slice(run.length + 1), tensor];
    }
  }
}

/**
 * A gradient below this share of the model's largest is 0 up to rounding in the reference (a key's bias shifts all
 * scores alike) and is compared with the largest.
 */
const VANISHES = 1e-9;

/** The relative error of the gradient of a loss, by key, of every parameter. */
export function gradientErrors(
  golden: Golden,
  run: GoldenRun,
  model: nn.Module,
  loss: Tensor,
): Map<string, number> {
  model.zeroGrad();
  loss.backward();
  const largest = (values: Tensor | null | undefined) => values?.abs().amax().item() ?? 0;
  const parameters = [...model.namedParameters()];
  const expected = parameters.map(([key]) => golden.get(`${run.name}/grad.${key}`));
  const scale = Math.max(...expected.map(largest));
  return new Map(
    parameters.map(([key, { grad }], index) => {
      const wanted = expected[index]!;
      if (largest(wanted) < VANISHES * scale) return [key, largest(grad) / scale];
      return [key, grad ? relativeError(grad, wanted) : 1];
    }),
  );
}

/**
 * max |a - b| / max |b|, where equal infinities differ by 0; over each clip's own frames where `frames` says how many
 * they are, because what is behind them has no defined value.
 */
export function relativeError(actual: Tensor, expected: Tensor, frames?: readonly number[]): number {
  let [difference, scale] = [0, 0];
  for (const [a, b] of clips(actual, expected, frames)) {
    difference = Math.max(difference, a.sub(b).abs().maskedFill(a.eq(b), 0).amax().item());
    scale = Math.max(scale, b.maskedFill(b.abs().eq(Number.POSITIVE_INFINITY), 0).abs().amax().item());
  }
  return difference / (scale || 1);
}

/** |a - b| / |b| in the Euclidean norm, over each clip's own frames: for rounding that is large and random. */
export function relativeDistance(actual: Tensor, expected: Tensor, frames?: readonly number[]): number {
  let [difference, scale] = [0, 0];
  for (const [a, b] of clips(actual, expected, frames)) {
    difference += a.sub(b).square().sum().item();
    scale += b.square().sum().item();
  }
  return Math.sqrt(difference / scale);
}

function* clips(actual: Tensor, expected: Tensor, frames: readonly number[] | undefined) {
  expect(actual.shape).toEqual(expected.shape);
  const exact = (values: Tensor) => values.detach().to({ device: "cpu" }).to({ dtype: "float64" });
  const [found, wanted] = [exact(actual), exact(expected)];
  if (!frames) yield [found, wanted] as const;
  for (const row of frames?.keys() ?? [])
    yield [clip(found, row, frames!), clip(wanted, row, frames!)] as const;
}

/** One clip's own frames of [clip, frame, ...], or of attention weights [clip, head, frame, frame]. */
function clip(values: Tensor, row: number, frames: readonly number[]): Tensor {
  const [own, count] = [values.select(0, row), frames[row]!];
  if (values.shape.length < 4) return own.narrow(0, 0, count);
  return own.narrow(1, 0, count).narrow(2, 0, count);
}
