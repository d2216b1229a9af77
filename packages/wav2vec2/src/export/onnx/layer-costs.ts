import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { CtcModel } from "../../pretrained/ctc-directory.js";
import { ctcNetwork } from "./network/ctc-network.js";
import type { Quantization } from "./number-format.js";
import type { OnnxEngine } from "./onnx-engine.js";
import { writeOnnx } from "./onnx-file.js";
import { openEngine } from "./open-engine.js";

/** What quantising one layer alone does to the scores. */
export interface LayerCost {
  layer: string;
  /** Root of the mean square of the logits' differences, over that of the logits. */
  error: number;
}

/**
 * Quantises each layer alone and compares the scores of some clips with those in float32.
 *
 * @param engine the network in float32
 * @param directory for a file that is removed again
 * @returns the dearest first
 */
export async function layerCosts(
  { model }: CtcModel,
  engine: OnnxEngine,
  clips: readonly Float32Array[],
  {
    layers,
    quantization,
    directory,
    signal,
    onLayer,
  }: {
    layers: readonly string[];
    quantization: Quantization;
    directory: string;
    signal?: AbortSignal | undefined;
    onLayer?: ((layer: string) => void) | undefined;
  },
): Promise<LayerCost[]> {
  const expected: Float32Array[] = [];
  for (const clip of clips) expected.push((await engine.run(clip, [clip.length])).logits);
  const path = join(directory, "one-layer.onnx");
  const costs: LayerCost[] = [];
  for (const layer of layers) {
    signal?.throwIfAborted();
    onLayer?.(layer);
    const only = (name: string) => (name === layer ? quantization : undefined);
    await writeOnnx(path, ctcNetwork(model, { half: false, quantizationOf: only }));
    const quantized = await openEngine(path);
    try {
      let error = 0;
      let whole = 0;
      for (const [index, clip] of clips.entries()) {
        const { logits } = await quantized.run(clip, [clip.length]);
        for (const [place, value] of expected[index]!.entries()) {
          error += (logits[place]! - value) ** 2;
          whole += value ** 2;
        }
      }
      costs.push({ layer, error: Math.sqrt(error / whole) });
    } finally {
      await quantized.close();
    }
  }
  await rm(path, { force: true });
  await rm(`${path}_data`, { force: true });
  return costs.sort((a, b) => b.error - a.error);
}
