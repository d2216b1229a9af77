import type { Transcript } from "../../../wav2vec2/src/web/index.js";

/** That the processor's engine will be needed, before it is known of which model. All addresses are whole ones. */
export interface WarmRequest {
  type: "warm";
  /** Of onnxruntime's files. */
  runtime: string;
  threads: number;
}

/** How a model is to be loaded. */
export interface LoadRequest extends Omit<WarmRequest, "type"> {
  type: "load";
  directory: string;
  /** Which of its networks. */
  dtype: string;
  engine: "webgpu" | "wasm";
  languageModel?: { address: string; lmWeight?: number | undefined; wordScore?: number | undefined };
}

export type WorkerRequest =
  | WarmRequest
  | LoadRequest
  /** A language model of the user's for recordings from now on; none: that of the site, if any. */
  | { type: "language"; file: File | undefined }
  /** A recording as a whole, or samples at another rate. */
  | {
      type: "recognize";
      job: number;
      audio: Blob | { samples: Float32Array; sampleRate: number };
      name: string;
      hotwords: string[];
    }
  /** What is being said: blocks follow. */
  | { type: "listen"; job: number; sampleRate: number; hotwords: string[] }
  | { type: "block"; job: number; samples: Float32Array }
  | { type: "end"; job: number }
  | { type: "cancel"; job: number };

export type WorkerReply =
  | { type: "progress"; loaded: number; total: number | undefined }
  | { type: "ready"; engine: "webgpu" | "wasm"; threads: number }
  | { type: "failed"; message: string }
  /** The user's language model is read; the message says why it cannot be used. */
  | { type: "language"; message: string | undefined }
  /** Samples at 16 kHz, in order. */
  | { type: "samples"; job: number; samples: Float32Array }
  | { type: "piece"; job: number; transcript: Transcript }
  | { type: "partial"; job: number; text: string }
  | { type: "done"; job: number; seconds: number }
  | { type: "error"; job: number; message: string; code: string };
