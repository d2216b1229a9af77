import { createRequire } from "node:module";
import type { InferenceSession, Tensor, TypedTensor } from "onnxruntime-common";
import { UserError } from "../../errors.js";

/** What of onnxruntime's two packages is used; both have the same interface. */
interface Runtime {
  InferenceSession: { create(path: string, options: { logSeverityLevel: 3 }): Promise<InferenceSession> };
  Tensor: typeof Tensor;
}

/** Scores that an exported network gives. */
export interface OnnxScores {
  /** [batch, frames, vocabulary] in row-major order */
  logits: Float32Array;
  frames: number;
}

/** By preference: the second runs in WebAssembly, at half the speed, with 4 GB at most, and needs nothing native. */
const PACKAGES = ["onnxruntime-node", "onnxruntime-web"];

/** Runs an exported recogniser. */
export class OnnxEngine {
  readonly #runtime: Runtime;
  readonly #session: InferenceSession;

  private constructor(runtime: Runtime, session: InferenceSession) {
    this.#runtime = runtime;
    this.#session = session;
  }

  /**
   * @param path the `.onnx` file
   * @throws UserError where neither package is installed, or the file is none
   */
  static async open(path: string): Promise<OnnxEngine> {
    const runtime = loadRuntime();
    try {
      return new OnnxEngine(runtime, await runtime.InferenceSession.create(path, { logSeverityLevel: 3 }));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new UserError(`${path} must be a model in ONNX's format, but cannot be loaded: ${reason}`, {
        cause: error,
      });
    }
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

function loadRuntime(): Runtime {
  const require = createRequire(import.meta.url);
  for (const name of PACKAGES) {
    try {
      return require(name) as Runtime;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  throw new UserError(
    `One of ${PACKAGES.join(" and ")} must be installed to run ONNX models, but neither is. Run: npm install ` +
      `${PACKAGES[1]} (or ${PACKAGES[0]}, which is faster).`,
  );
}
