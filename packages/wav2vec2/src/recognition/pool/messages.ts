import type { RawFormat } from "../../audio/wav/raw-format.js";
import type { PlainError } from "../../error-transfer.js";
import type { LoadCtcOptions } from "../../pretrained/ctc-directory.js";
import type { SharedModel } from "../../pretrained/shared-model.js";
import type { Transcript } from "../../text/formats/transcript.js";
import type { Alignment } from "../alignment/speech-aligner.js";
import type { WindowSeconds } from "../emissions/emissions.js";
import type { DecodingChoice } from "../transcript/decoding-choice.js";

/** Where a thread has its network from. */
export type ThreadModel =
  /** A model of libtorch that another thread has loaded. */
  | { kind: "shared"; shared: SharedModel }
  /** How to load one. */
  | ({ kind: "load" } & Pick<LoadCtcOptions, "revision" | "language" | "precision"> & {
        nameOrDirectory: string;
        /** Where it will compute, in other threads. */
        computesOn: string;
      })
  /** What `export` wrote, by onnxruntime. */
  | { kind: "exported"; directory: string; language: string | undefined; dtype: string | undefined };

/** What a thread is started with. */
export interface ThreadData {
  model: ThreadModel;
  decoding: DecodingChoice;
  device: string;
  /** Threads of one operator of the network. */
  torchThreads: number;
  /** By how much the system prefers other threads. */
  nice: number;
}

/** Where a job's audio comes from, in the thread. */
export type JobSource = { name: string } & (
  | { kind: "file"; path: string }
  | { kind: "bytes"; bytes: Uint8Array }
  /** Its parts are asked for one by one. */
  | { kind: "stream"; isWhole: boolean }
  | { kind: "samples"; sampleRate: number }
);

/** What is wanted of a job's audio. */
export type JobTask =
  | ({ kind: "transcribe" } & TranscribeSettings)
  /** @property name what messages call what the text is of */
  | { kind: "align"; text: string; respell: boolean | undefined; name: string };

export interface TranscribeSettings {
  words: boolean | undefined;
  windows: WindowSeconds | undefined;
  /** Whether the words of unfinished pieces are wanted. */
  partial: boolean;
  /** Besides those of the pool. */
  hotwords: readonly string[] | undefined;
}

/** From the pool to a thread; `job` is the number of the one that it is about. */
export type ToThread =
  | { kind: "begin"; job: number; source: JobSource; raw: RawFormat | undefined; task: JobTask }
  /** What was asked for: nothing where the source has ended. */
  | { kind: "part"; job: number; part: Uint8Array | Float32Array | undefined }
  | { kind: "broken"; job: number; error: PlainError }
  | { kind: "abort"; job: number };

/** From a thread to the pool. */
export type FromThread =
  /** @property shared the model, where this thread has loaded it */
  | { kind: "ready"; shared: SharedModel | undefined; memory: ThreadMemory }
  | { kind: "unusable"; error: PlainError }
  | { kind: "note"; job: number | undefined; text: string }
  /** The network computes so many windows together. */
  | { kind: "batch"; windows: number }
  | { kind: "pull"; job: number }
  | { kind: "partial"; job: number; text: string }
  | { kind: "result"; job: number; result: Transcript | Alignment }
  /** @property error where it failed */
  | { kind: "end"; job: number; error: PlainError | undefined; memory: ThreadMemory };

/** What a thread holds by itself, in bytes: JavaScript's objects, and its arrays outside them. */
export interface ThreadMemory {
  heap: number;
  arrays: number;
}
