import type { InferenceSession, Tensor, TypedTensor } from "onnxruntime-common";

/** What is used of onnxruntime's packages, for Node.js and for pages; all have the same interface. */
export interface OnnxRuntime {
  InferenceSession: {
    create(model: string | Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  Tensor: typeof Tensor;
  /** Of builds in WebAssembly, before the first session: its threads are the process's, not a session's. */
  env?: { wasm?: { numThreads?: number | undefined } } | undefined;
}

/** Scores that an exported network gives. */
export interface OnnxScores {
  /** [batch, frames, vocabulary] in row-major order */
  logits: Float32Array;
  frames: number;
}

/** Runs an exported recogniser. */
export class OnnxEngine {
  readonly #runtime: OnnxRuntime;
  readonly #session: InferenceSession;

  constructor(runtime: OnnxRuntime, session: InferenceSession) {
    this.#runtime = runtime;
    this.#session = session;
  }

  /** Whether clips of a batch may have different lengths. */
  get takesMask(): boolean {
    return this.#session.inputNames.includes("attention_mask");
  }

  /**
   * @param samples [batch, samples] in row-major order
   * @param lengths each clip's own samples; the rest is 0
   */
  async run(samples: Float32Array, lengths: readonly number[]): Promise<OnnxScores> {
    const shape = [lengths.length, samples.length / lengths.length];
    const feeds: Record<string, Tensor> = {
      input_values: new this.#runtime.Tensor("float32", samples, shape),
    };
    if (this.takesMask) {
      const mask = new BigInt64Array(samples.length);
      for (const [row, length] of lengths.entries()) mask.fill(1n, row * shape[1]!, row * shape[1]! + length);
      feeds.attention_mask = new this.#runtime.Tensor("int64", mask, shape);
    }
    const { logits } = (await this.#session.run(feeds)) as { logits: TypedTensor<"float32"> };
    return { logits: logits.data as Float32Array, frames: logits.dims[1]! };
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}
