// onnxruntime's interface, as far as it is used: its packages are optional, and types that name them would want them installed.

interface OnnxTensor {
  readonly data: unknown;
  readonly dims: readonly number[];
}

/** A network that is loaded. */
export interface OnnxSession {
  readonly inputNames: readonly string[];
  run(feeds: Record<string, OnnxTensor>): Promise<{ readonly [name: string]: OnnxTensor }>;
  release(): Promise<void>;
}

/** What is used of onnxruntime's packages, for Node.js and for pages; all have the same interface. */
export interface OnnxRuntime {
  InferenceSession: {
    create(model: string | Uint8Array, options?: object): Promise<OnnxSession>;
  };
  Tensor: {
    new (type: "float32", data: Float32Array, dims: readonly number[]): OnnxTensor;
    new (type: "int64", data: BigInt64Array, dims: readonly number[]): OnnxTensor;
  };
  /** Of builds in WebAssembly, before the first session: its threads are the process's, not a session's. */
  env?:
    | {
        wasm?: { numThreads?: number | undefined };
        /** Of builds for pages, behind the first session on a GPU: its GPUDevice. */
        webgpu?: { readonly device?: unknown };
      }
    | undefined;
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
  readonly #session: OnnxSession;

  constructor(runtime: OnnxRuntime, session: OnnxSession) {
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
    const feeds: Record<string, OnnxTensor> = {
      input_values: new this.#runtime.Tensor("float32", samples, shape),
    };
    if (this.takesMask) {
      const mask = new BigInt64Array(samples.length);
      for (const [row, length] of lengths.entries()) mask.fill(1n, row * shape[1]!, row * shape[1]! + length);
      feeds.attention_mask = new this.#runtime.Tensor("int64", mask, shape);
    }
    const { logits } = (await this.#session.run(feeds)) as { logits: OnnxTensor };
    return { logits: logits.data as Float32Array, frames: logits.dims[1]! };
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}
