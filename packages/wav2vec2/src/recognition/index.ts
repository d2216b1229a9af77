// What recognises speech, without training, reports and the rest of the package: `wav2vec2/recognition`.
export {
  type AudioInfo,
  type ReadOptions,
  readAudio,
  readAudioInfo,
  SAMPLE_RATE,
} from "../audio/audio-file.js";
export type { AudioSamples, AudioSource } from "../audio/audio-source.js";
export { type AudioStreamOptions, streamAudio } from "../audio/audio-stream.js";
export { encodeFlac } from "../audio/flac/flac-writer.js";
export { RAW_ENCODINGS, type RawEncoding, type RawFormat } from "../audio/wav/raw-format.js";
export { ConfigurationError, type ErrorCode, UserError } from "../errors.js";
export { type CtcModel, type LoadCtcOptions, loadCtcModel } from "../pretrained/ctc-directory.js";
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
export { loadLanguageModel } from "../text/language-model/load-language-model.js";
export { Aligner, type Alignment, type AlignOptions, loadAligner } from "./alignment/align.js";
export { FILE_WINDOWS, LIVE_WINDOWS, type WindowSeconds } from "./emissions/emissions.js";
export { type FileNews, type FilesOptions, transcribeFiles } from "./files.js";
export { loadOnnxRecognizer, type OnnxRecognizerOptions } from "./load-onnx-recognizer.js";
export { OnnxRecognizer } from "./onnx-recognizer.js";
export { PoolError } from "./pool/pool-error.js";
export {
  type PoolStats,
  type PoolTranscribeOptions,
  RecognizerPool,
  type RecognizerPoolOptions,
  recognizerPool,
} from "./pool/recognizer-pool.js";
export { loadRecognizer, Recognizer, type RecognizerOptions, type TranscribeOptions } from "./recognizer.js";
export { type DecodingChoice, readDecodingChoice } from "./transcript/decoding-choice.js";
