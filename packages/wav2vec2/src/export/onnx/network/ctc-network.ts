import { noGrad, scope } from "@wav2vec2/libtorch";
import { UserError } from "../../../errors.js";
import type { Wav2Vec2ForCTC } from "../../../model/heads/ctc.js";
import { Graph, type Value } from "../graph.js";
import type { NumberFormat } from "../number-format.js";
import { featureEncoder } from "./feature-encoder.js";
import { frameMask } from "./frame-mask.js";
import { layerNorm, linear } from "./layers.js";
import { transformer } from "./transformer.js";

/**
 * The graph of a recogniser: `input_values` [batch, samples] to `logits` [batch, frames, vocabulary]. A model whose
 * convolutions have layer norms takes an `attention_mask` int64 [batch, samples] besides, 1 in each clip's own samples,
 * and all of them where it is left out; group norm runs over whole clips, so the clips of its batches are equally long.
 *
 * @param format default: all in float32. Inputs and outputs are float32 in every format
 * @throws UserError for convolutions behind the transformer (`add_adapter`), which are not exported
 */
export function ctcNetwork({ wav2vec2, lmHead, config }: Wav2Vec2ForCTC, format?: NumberFormat): Graph {
  if (config.addAdapter)
    throw new UserError(
      "add_adapter must be false for an export, but is true: convolutions behind the transformer are not written yet. " +
        "Fine-tune a model without them.",
    );
  const graph = new Graph(format);
  const samples = graph.input("input_values", "float32", ["batch", "samples"]);
  const mask =
    config.featExtractNorm === "layer"
      ? graph.optionalInput("attention_mask", ["batch", "samples"], [1], [1, 1])
      : undefined;
  noGrad(() => scope(() => logits(samples, mask)));
  return graph;

  function logits(input: Value, own: Value | undefined): void {
    const { featureProjection } = wav2vec2;
    const features = featureEncoder(graph, input, wav2vec2.featureExtractor, config); // [batch, frames, channels]
    const norm = featureProjection.layerNorm;
    const normalized = norm ? layerNorm(graph, features, norm) : features;
    const projected = linear(graph, "feature_projection", normalized, featureProjection.projection);
    const hidden = graph.full(projected); // [batch, frames, width]
    const frames =
      own === undefined
        ? undefined
        : frameMask(graph, graph.node("Expand", [own, graph.node("Shape", [input])]), hidden, config);
    const context = transformer(graph, hidden, wav2vec2.encoder, frames, config); // [batch, frames, width]
    graph.output("logits", linear(graph, "lm_head", context, lmHead), ["batch", "frames", config.vocabSize]);
  }
}
