import type { Transcript } from "../../../wav2vec2/src/web/index.js";

/** How a model is to be loaded. All addresses are whole ones. */
export interface LoadRequest {
  type: "load";
  directory: string;
  /** Which of its networks. */
  dtype: string;
  /** Of onnxruntime's files. */
  runtime: string;
  engine: "webgpu" | "wasm";
  threads: number;
  languageModel?: { address: string; lmWeight?: number | undefined; wordScore?: number | undefined };
}

export type WorkerRequest =
  | LoadRequest
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
  /** Samples at 16 kHz, in order. */
  | { type: "samples"; job: number; samples: Float32Array }
  | { type: "piece"; job: number; transcript: Transcript }
  | { type: "partial"; job: number; text: string }
  | { type: "done"; job: number; seconds: number }
  | { type: "error"; job: number; message: string; code: string };
