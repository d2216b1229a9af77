import { createRequire } from "node:module";
import { UserError } from "../../errors.js";
import { OnnxEngine, type OnnxRuntime } from "./onnx-engine.js";

/** By preference: the second runs in WebAssembly, at half the speed, with 4 GB at most, and needs nothing native. */
const PACKAGES = ["onnxruntime-node", "onnxruntime-web"];

/**
 * @param path the `.onnx` file
 * @param options of onnxruntime
 * @throws UserError where neither package is installed, or the file is none
 */
export async function openEngine(
  path: string,
  options: { intraOpNumThreads?: number } = {},
): Promise<OnnxEngine> {
  const runtime = loadRuntime();
  const { intraOpNumThreads } = options;
  if (runtime.env?.wasm && intraOpNumThreads !== undefined) runtime.env.wasm.numThreads = intraOpNumThreads;
  try {
    return new OnnxEngine(
      runtime,
      await runtime.InferenceSession.create(path, { logSeverityLevel: 3, ...options }),
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`${path} must be a model in ONNX's format, but cannot be loaded: ${reason}`, {
      cause: error,
    });
  }
}

function loadRuntime(): OnnxRuntime {
  const require = createRequire(import.meta.url);
  for (const name of PACKAGES) {
    try {
      return require(name) as OnnxRuntime;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  throw new UserError(
    `One of ${PACKAGES.join(" and ")} must be installed to run ONNX models, but neither is. Run: npm install ` +
      `${PACKAGES[1]} (or ${PACKAGES[0]}, which is faster).`,
  );
}
