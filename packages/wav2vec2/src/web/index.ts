// What recognises speech in a page: nothing of Node.js, nothing of libtorch. `wav2vec2/web`.
export { type ReadOptions, readAudio, SAMPLE_RATE } from "../audio/audio-file.js";
export type { AudioSamples, AudioSource } from "../audio/audio-source.js";
export { type AudioStreamOptions, streamAudio } from "../audio/audio-stream.js";
export { Resampler } from "../audio/resampling/resample.js";
export { RAW_ENCODINGS, type RawEncoding, type RawFormat } from "../audio/wav/raw-format.js";
export { ConfigurationError, type ErrorCode, UserError } from "../errors.js";
export type { OnnxRuntime } from "../export/onnx/onnx-engine.js";
export { FILE_WINDOWS, LIVE_WINDOWS, type WindowSeconds } from "../recognition/emissions/emissions.js";
export type { TranscribeOptions } from "../recognition/speech-recognizer.js";
export { CtcDecoder, type DecodingStream, type Hypothesis } from "../text/decoding/ctc-decoder.js";
export type { DecodingOptions } from "../text/decoding/decoding-options.js";
export { FORMATS, type Format, transcriptWriter } from "../text/formats/formats.js";
export type {
  RecordingTranscript,
  TimedText,
  TimedWord,
  Transcript,
  TranscriptWriter,
} from "../text/formats/transcript.js";
export {
  type LanguageModelBytesOptions,
  parseLanguageModel,
} from "../text/language-model/language-model-bytes.js";
export { CtcTokenizer, type TokenizerOptions } from "../text/tokenizer.js";
export { type TokenRoles, Vocabulary } from "../text/vocabulary.js";
export type { OnDownload } from "./download.js";
export { type LoadOptions, loadRecognizer, OnnxRecognizer } from "./recognizer.js";
