// What modules of transforms need (docs/transforms.md): small, as every worker thread loads it.
export { type CtcBatch, collateCtc } from "./data/batches/ctc-collator.js";
export { padClips } from "./data/batches/pad-clips.js";
export { collatePreTraining, type PreTrainingBatch } from "./data/batches/pretraining-collator.js";
export {
  type CollateContext,
  type CollatedBatch,
  defineTransforms,
  type TransformContext,
  type TransformedClip,
  type TransformHooks,
} from "./data/batches/transforms.js";
export { Random } from "./data/random.js";
export { type SpanOptions, type SpanSampler, sampleSpans } from "./model/span-mask.js";
