export {
  type AudioInfo,
  type AudioRange,
  type ReadOptions,
  readAudio,
  readAudioInfo,
  SAMPLE_RATE,
} from "./audio/audio-file.js";
export { streamAudio } from "./audio/audio-stream.js";
export { encodeFlac } from "./audio/flac-writer.js";
export { normalize } from "./audio/normalize.js";
export {
  type PcmStreamOptions,
  RAW_ENCODINGS,
  type RawEncoding,
  type RawFormat,
  streamPcm,
} from "./audio/pcm-stream.js";
export { resample } from "./audio/resample.js";
export {
  type Classifier,
  type LoadClassifierOptions,
  loadClassifier,
  saveClassifier,
} from "./classification/classifier-directory.js";
export { classifyFile, type FileLabels } from "./classification/classify-file.js";
export { type Prediction, predictSamples, rankLabels } from "./classification/predict.js";
export type { ClassificationTask } from "./classification/tasks.js";
export { Augmentation, type AugmentationOptions } from "./data/batches/augmentation.js";
export {
  type BatchLimits,
  type BatchOptions,
  type BatchPosition,
  batchOrder,
  lengthBucketedBatches,
  type PlannedBatch,
} from "./data/batches/batches.js";
export { type CtcBatch, type CtcItem, collateCtc } from "./data/batches/ctc-collator.js";
export { type BatchLoadOptions, batchWorkers, loadBatches } from "./data/batches/load-batches.js";
export type { BadClip, BatchJob, Preparation } from "./data/batches/prepare-batch.js";
export {
  collatePreTraining,
  type PreTrainingBatch,
  type PreTrainingCollation,
} from "./data/batches/pretraining-collator.js";
export { checkCorpus } from "./data/check/check-corpus.js";
export {
  type Corpus,
  type CorpusOptions,
  type CorpusProblem,
  listSplits,
  readCorpus,
} from "./data/corpus/corpus.js";
export { LibriSpeechDataset } from "./data/corpus/librispeech-dataset.js";
export { writeManifest } from "./data/corpus/manifest-writer.js";
export { downloadParts } from "./data/download/download.js";
export { corpusParts } from "./data/download/parts.js";
export { Random } from "./data/random.js";
export { readStats } from "./data/stats/read-stats.js";
export type { TranscribedUtterance, Utterance } from "./data/utterance.js";
export { ConfigurationError, UserError } from "./errors.js";
export type { ClassifierResult } from "./evaluation/classification/classifier-result.js";
export {
  type EvaluateClassifierOptions,
  evaluateClassifier,
} from "./evaluation/classification/evaluate-classifier.js";
export { evaluateModel } from "./evaluation/evaluate.js";
export type { EvaluatedUtterance, Evaluation, EvaluationResult } from "./evaluation/evaluation.js";
export { type TuneOptions, tuneDecoding } from "./evaluation/tune-model.js";
export { type DownloadProgress, type ResolveOptions, resolveModel } from "./files/hub.js";
export { adapterFrames, createConfig, featureFrames, type Wav2Vec2Config } from "./model/configuration.js";
export { readConfig, writeConfig } from "./model/configuration-file.js";
export {
  type FrameClassifierOutput,
  Wav2Vec2ForAudioFrameClassification,
} from "./model/heads/audio-frame-classification.js";
export { type CtcOutput, type CtcTargets, Wav2Vec2ForCTC } from "./model/heads/ctc.js";
export { ModelWithHead } from "./model/heads/model-with-head.js";
export {
  type PreTrainingInput,
  type PreTrainingOutput,
  Wav2Vec2ForPreTraining,
} from "./model/heads/pretraining/pretraining.js";
export {
  type PreTrainingTargets,
  samplePreTrainingTargets,
} from "./model/heads/pretraining/pretraining-targets.js";
export {
  type SequenceClassifierOutput,
  Wav2Vec2ForSequenceClassification,
} from "./model/heads/sequence-classification.js";
export { Wav2Vec2ForXVector, type XVectorOutput, xvectorSamples } from "./model/heads/xvector.js";
export { PRESETS, type PresetName } from "./model/presets.js";
export { type ModelInput, type ModelOutput, Wav2Vec2Model } from "./model/wav2vec2-model.js";
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
export { type Aligner, type Alignment, type AlignOptions, loadAligner } from "./recognition/align.js";
export { type DecodingChoice, readDecodingChoice } from "./recognition/decoding-choice.js";
export { FILE_WINDOWS, LIVE_WINDOWS, type WindowSeconds } from "./recognition/emissions.js";
export { type FileNews, type FilesOptions, transcribeFiles } from "./recognition/files.js";
export {
  type ListenOptions,
  loadRecognizer,
  type Recognizer,
  type RecognizerOptions,
} from "./recognition/recognizer.js";
export { CtcDecoder, type DecodingStream, type Hypothesis } from "./text/decoding/ctc-decoder.js";
export type { DecodingOptions } from "./text/decoding/decoding-options.js";
export { greedyDecode } from "./text/decoding/greedy.js";
export { languageModelFit } from "./text/decoding/language-model-fit.js";
export { type Format, transcriptWriter } from "./text/formats/formats.js";
export type { TimedText, TimedWord, Transcript, TranscriptWriter } from "./text/formats/transcript.js";
export type { LanguageModel } from "./text/language-model/language-model.js";
export { loadLanguageModel } from "./text/language-model/load-language-model.js";
export { ErrorRate, wordErrors } from "./text/scoring/error-rate.js";
export { CtcTokenizer } from "./text/tokenizer.js";
export { Vocabulary } from "./text/vocabulary.js";
export { type CodedClip, drawableWaveform, maskedSpans } from "./tracking/coded-clip.js";
export { writeReport } from "./tracking/report/report.js";
export { trackRun } from "./tracking/run.js";
export { combineTrackers, type Sink, type Tracker } from "./tracking/tracker.js";
export { type ClassifierTraining, trainClassifier } from "./training/classification/train-classifier.js";
export { type FinetuneResult, finetune } from "./training/finetuning/finetune.js";
export { type ClipCodes, type Coder, loadCoder } from "./training/pretraining/codes.js";
export { type PretrainResult, pretrain } from "./training/pretraining/pretrain.js";
export { type Recipe, resolveRecipe } from "./training/recipe/recipe.js";
export { loadRecipe } from "./training/recipe/recipe-file.js";
export type { RunOptions } from "./training/run/training-run.js";
