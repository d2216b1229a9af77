export {
  type AudioInfo,
  type AudioRange,
  type ReadOptions,
  readAudio,
  readAudioInfo,
  SAMPLE_RATE,
} from "./audio/audio-file.js";
export type { AudioSamples, AudioSource } from "./audio/audio-source.js";
export { type AudioStreamOptions, streamAudio } from "./audio/audio-stream.js";
export { encodeFlac } from "./audio/flac/flac-writer.js";
export { normalize } from "./audio/normalize.js";
export { resample } from "./audio/resampling/resample.js";
export { RAW_ENCODINGS, type RawEncoding, type RawFormat } from "./audio/wav/raw-format.js";
export {
  type Classifier,
  type LoadClassifierOptions,
  loadClassifier,
  saveClassifier,
} from "./classification/classifier-directory.js";
export { classifyFile, type FileLabels } from "./classification/classify-file.js";
export { type Prediction, predictSamples, rankLabels } from "./classification/predict.js";
export { Augmentation, type AugmentationOptions } from "./data/batches/augmentation.js";
export {
  type BatchLimits,
  type BatchOptions,
  type BatchPosition,
  batchOrder,
  epochOfBatches,
  lengthBucketedBatches,
  type PlannedBatch,
  shareOfBatches,
} from "./data/batches/batches.js";
export {
  type CtcBatch,
  type CtcItem,
  collateCtc,
  dropImpossibleTargets,
} from "./data/batches/ctc-collator.js";
export {
  type BatchLoadOptions,
  type BatchWorkers,
  batchWorkers,
  type EmptyBatch,
  isEmpty,
  type LabelEncoder,
  type LoadBatchesOptions,
  type LoadJob,
  loadBatches,
  type RefusesBadAudio,
} from "./data/batches/load-batches.js";
export { loadTransforms } from "./data/batches/load-transforms.js";
export { padClips } from "./data/batches/pad-clips.js";
export {
  type CtcPreparation,
  ctcPreparation,
  type PreparationOptions,
  type PreTrainingPreparation,
  preTrainingPreparation,
} from "./data/batches/preparation.js";
export type {
  BadClip,
  Batch,
  BatchJob,
  BatchOf,
  ClipJob,
  Placed,
  Preparation,
} from "./data/batches/prepare-batch.js";
export {
  collatePreTraining,
  type PreTrainingBatch,
  type PreTrainingCollation,
} from "./data/batches/pretraining-collator.js";
export {
  type CollateContext,
  type CollatedBatch,
  defineTransforms,
  type TransformContext,
  type TransformedClip,
  type TransformHooks,
  type Transforms,
} from "./data/batches/transforms.js";
export { checkCorpus } from "./data/check/check-corpus.js";
export {
  type Corpus,
  type CorpusOptions,
  type CorpusProblem,
  listSplits,
  readCorpus,
} from "./data/corpus/corpus.js";
export { LibriSpeechDataset } from "./data/corpus/layouts/librispeech-dataset.js";
export { writeManifest } from "./data/corpus/manifest/manifest-writer.js";
export { downloadParts } from "./data/download/download.js";
export { corpusParts } from "./data/download/parts.js";
export { Random } from "./data/random.js";
export { readStats } from "./data/stats/read-stats.js";
export type { TranscribedUtterance, Utterance } from "./data/utterance.js";
export { ConfigurationError, type ErrorCode, UserError } from "./errors.js";
export type { ClassifierResult } from "./evaluation/classification/classifier-result.js";
export {
  type EvaluateClassifierOptions,
  evaluateClassifier,
} from "./evaluation/classification/evaluate-classifier.js";
export { evaluateModel } from "./evaluation/evaluate.js";
export type { EvaluatedUtterance, Evaluation, EvaluationResult } from "./evaluation/evaluation.js";
export { type TuneOptions, tuneDecoding } from "./evaluation/tuning/tune-model.js";
export {
  exportHuggingFace,
  type HuggingFaceExport,
  type HuggingFaceExportOptions,
} from "./export/export-hugging-face.js";
export {
  type Accuracy,
  type Comparison,
  type ExportedNetwork,
  type ExportOptions,
  exportOnnx,
} from "./export/export-onnx.js";
export { type DownloadProgress, type ResolveOptions, resolveModel } from "./files/hub/hub.js";
export { adapterFrames, createConfig, featureFrames, type Wav2Vec2Config } from "./model/configuration.js";
export { readConfig, writeConfig } from "./model/configuration-file.js";
export { FeatureEncoder } from "./model/features/feature-encoder.js";
export { FeatureProjection } from "./model/features/feature-projection.js";
export {
  type FrameClassifierOutput,
  Wav2Vec2ForAudioFrameClassification,
} from "./model/heads/audio-frame-classification.js";
export type { ClassificationModel, ClassificationTask } from "./model/heads/classification-task.js";
export { type CtcConfig, type CtcOutput, type CtcTargets, Wav2Vec2ForCTC } from "./model/heads/ctc.js";
export { ModelWithHead } from "./model/heads/model-with-head.js";
export { contrastiveLogits, contrastiveLoss } from "./model/heads/pretraining/contrastive-loss.js";
export { sampleNegatives } from "./model/heads/pretraining/negatives.js";
export {
  type PreTrainingInput,
  type PreTrainingOutput,
  Wav2Vec2ForPreTraining,
} from "./model/heads/pretraining/pretraining.js";
export { type PreTrainingLoss, pretrainingLoss } from "./model/heads/pretraining/pretraining-loss.js";
export {
  type PreTrainingTargets,
  samplePreTrainingTargets,
} from "./model/heads/pretraining/pretraining-targets.js";
export { GumbelVectorQuantizer, type Quantized } from "./model/heads/pretraining/quantizer.js";
export {
  type SequenceClassifierOutput,
  Wav2Vec2ForSequenceClassification,
} from "./model/heads/sequence-classification.js";
export { Wav2Vec2ForXVector, type XVectorOutput, xvectorSamples } from "./model/heads/xvector.js";
export { initializeWeights } from "./model/initialization.js";
export type { Lengths } from "./model/input.js";
export { minimumSamples, receptiveField, samplesPerFrame, validFrames } from "./model/lengths.js";
export { frameMask, type GivenMask, maskTensor } from "./model/masking.js";
export { PRESETS, type PresetName } from "./model/presets.js";
export {
  featureSpans,
  type SpanOptions,
  type SpanSampler,
  sampleSpans,
  timeSpans,
} from "./model/span-mask.js";
export { Trace } from "./model/trace.js";
export { Attention } from "./model/transformer/attention.js";
export { EncoderLayer } from "./model/transformer/encoder-layer.js";
export { FeedForward } from "./model/transformer/feed-forward.js";
export { PositionalConvEmbedding } from "./model/transformer/positional-embedding.js";
export { TransformerEncoder } from "./model/transformer/transformer-encoder.js";
export {
  type FeatureInput,
  type ForwardOptions,
  type InnerStates,
  type ModelInput,
  type ModelOutput,
  Wav2Vec2Model,
} from "./model/wav2vec2-model.js";
export {
  PAGE_HEADERS,
  type PageFile,
  type PageFilesOptions,
  type PageModel,
  pageFiles,
} from "./page/page-files.js";
export { type PageOptions, type WrittenPage, writePage } from "./page/write-page.js";
export {
  type CtcModel,
  type LoadCtcOptions,
  loadCtcModel,
  saveCtcModel,
} from "./pretrained/ctc-directory.js";
export { loadLanguageAdapter } from "./pretrained/language-adapter.js";
export {
  type HubOptions,
  type LoadOptions,
  loadModel,
  type NewHead,
  type SaveOptions,
  saveModel,
} from "./pretrained/model-directory.js";
export { readNormalize } from "./pretrained/preprocessor.js";
export {
  type LoadPreTrainingOptions,
  loadPreTrainingModel,
  type PreTrainingModel,
  savePreTrainingModel,
} from "./pretrained/pretraining-directory.js";
export { Aligner, type Alignment, type AlignOptions, loadAligner } from "./recognition/alignment/align.js";
export {
  type CtcBatchMaker,
  type CtcBatchOptions,
  type CtcTrainingBatch,
  ctcBatches,
  forwardBatch,
} from "./recognition/emissions/ctc-batches.js";
export { FILE_WINDOWS, LIVE_WINDOWS, type WindowSeconds } from "./recognition/emissions/emissions.js";
export { type FileNews, type FilesOptions, transcribeFiles } from "./recognition/files.js";
export { loadOnnxRecognizer, type OnnxRecognizerOptions } from "./recognition/load-onnx-recognizer.js";
export { OnnxRecognizer } from "./recognition/onnx-recognizer.js";
export { PoolError } from "./recognition/pool/pool-error.js";
export {
  type PoolStats,
  type PoolTranscribeOptions,
  RecognizerPool,
  type RecognizerPoolOptions,
  recognizerPool,
} from "./recognition/pool/recognizer-pool.js";
export {
  loadRecognizer,
  Recognizer,
  type RecognizerOptions,
  type TranscribeOptions,
} from "./recognition/recognizer.js";
export { type DecodingChoice, readDecodingChoice } from "./recognition/transcript/decoding-choice.js";
export { CtcDecoder, type DecodingStream, type Hypothesis } from "./text/decoding/ctc-decoder.js";
export type { DecodingOptions } from "./text/decoding/decoding-options.js";
export { greedyDecode } from "./text/decoding/greedy.js";
export { languageModelFit } from "./text/decoding/words/language-model-fit.js";
export { FORMATS, type Format, transcriptWriter } from "./text/formats/formats.js";
export type {
  RecordingTranscript,
  TimedText,
  TimedWord,
  Transcript,
  TranscriptWriter,
} from "./text/formats/transcript.js";
export type { LanguageModel } from "./text/language-model/language-model.js";
export { loadLanguageModel } from "./text/language-model/load-language-model.js";
export { ErrorRate, wordErrors } from "./text/scoring/error-rate.js";
export { CtcTokenizer } from "./text/tokenizer.js";
export { Vocabulary } from "./text/vocabulary.js";
export { type CodedClip, drawableWaveform, maskedSpans } from "./tracking/coded-clip.js";
export { writeReport } from "./tracking/report/report.js";
export { trackRun } from "./tracking/run.js";
export type { RunDescription, RunEnd } from "./tracking/run-description.js";
export { logFile } from "./tracking/sinks/log-file.js";
export { metricsFile } from "./tracking/sinks/metrics-file.js";
export { runFile } from "./tracking/sinks/run-file.js";
export { type TerminalOptions, terminalProgress } from "./tracking/sinks/terminal.js";
export type { SystemReading } from "./tracking/system/system-reading.js";
export {
  combineTrackers,
  type Finding,
  type Histogram,
  type Sink,
  type Tracker,
} from "./tracking/tracker.js";
export type { Progress } from "./training/checkpoints/checkpoint.js";
export {
  loadNewestCheckpoint,
  type SaveCheckpointOptions,
  saveCheckpoint,
} from "./training/checkpoints/own-loop.js";
export {
  type ClassifierOptions,
  type ClassifierTask,
  type ClassifierTraining,
  trainClassifier,
} from "./training/classification/train-classifier.js";
export type { AnyCtcBatch } from "./training/finetuning/cached-batches.js";
export {
  type CtcTask,
  type FinetuneOptions,
  type FinetuneResult,
  finetune,
} from "./training/finetuning/finetune.js";
export type { PlannedRecipe } from "./training/loop/batch-plan.js";
export { Gradients, type Update } from "./training/loop/gradients.js";
export { type LoopOptions, type LoopResult, train } from "./training/loop/loop.js";
export { makeOptimizer, parameterGroups } from "./training/loop/optimizer.js";
export { withPrecision } from "./training/loop/precision.js";
export { learningRateScale } from "./training/loop/schedule.js";
export type { OwnBatches, OwnClips } from "./training/own/own-batches.js";
export {
  defineTask,
  type OwnTask,
  type TaskRun,
  type TrainTaskResult,
  trainTask,
} from "./training/own/train-task.js";
export { type ClipCodes, type Coder, loadCoder } from "./training/pretraining/codes.js";
export {
  type PreTrainingTask,
  type PretrainOptions,
  type PretrainResult,
  pretrain,
} from "./training/pretraining/pretrain.js";
export {
  forwardPreTraining,
  type PreTrainingTrainingBatch,
  preTrainingBatches,
  type ScoredBatch,
} from "./training/pretraining/pretraining-batches.js";
export { type Recipe, type RecipeInput, resolveRecipe } from "./training/recipe/recipe.js";
export { loadRecipe, type RecipeValues } from "./training/recipe/recipe-file.js";
export type { OwnModel } from "./training/run/initial-model.js";
export { type RunOptions, type Splits, type TrainingRun, withRun } from "./training/run/training-run.js";
export { HookError } from "./training/task/own-hooks.js";
export type { BatchLoss, StepContext, Task, TrainingBatch, Validation } from "./training/task/task.js";
