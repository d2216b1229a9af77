import type { InferenceSession } from "onnxruntime-common";
import { isObject } from "../argument-kinds.js";
import { UserError } from "../errors.js";
import type { OnnxRuntime, OnnxSession } from "../export/onnx/onnx-engine.js";

/** What is used of WebGPU's GPUDevice, whose types are no part of TypeScript's. */
interface GpuDevice {
  readonly features: { has(name: string): boolean };
  readonly lost: Promise<{ readonly message: string }>;
}

/** The device that onnxruntime has made a session on: none where that is the processor. */
export async function gpuOf(
  ort: OnnxRuntime,
  { executionProviders = [] }: InferenceSession.SessionOptions,
): Promise<GpuDevice | undefined> {
  const names = executionProviders.map((each) => (typeof each === "string" ? each : each.name));
  if (!names.includes("webgpu")) return undefined;
  const device = await ort.env?.webgpu?.device;
  return isObject(device) && "lost" in device ? (device as unknown as GpuDevice) : undefined;
}

/** Numbers in half are an extension of WebGPU: without it, onnxruntime makes a session whose runs fail. */
export function hasHalf({ features }: GpuDevice): boolean {
  return features.has("shader-f16");
}

/**
 * A session whose runs end also where the GPU is lost, as by a fault of its driver: those of onnxruntime then may wait for
 * ever.
 */
export function endingSession(session: OnnxSession, device: GpuDevice): OnnxSession {
  let lost: UserError | undefined;
  let failRun: ((error: UserError) => void) | undefined;
  void device.lost.then(({ message }) => {
    lost = gpuError(`was lost: ${message}`);
    failRun?.(lost);
  });
  return {
    inputNames: session.inputNames,
    run(feeds) {
      if (lost) return Promise.reject(lost);
      // Not Promise.race: device.lost stays open for hours, and would hold what each run gave.
      return new Promise((resolve, reject) => {
        failRun = reject;
        session
          .run(feeds)
          .then(resolve, (error: Error) => reject(lost ?? gpuError(`failed: ${error.message}`)));
      });
    },
    async release() {
      if (!lost) await session.release();
    },
  };
}

function gpuError(what: string): UserError {
  return new UserError(
    `The GPU must compute the network to its end, but ${what.replace(/\.?\s*$/, ".")} Load the model again, or run it on the processor.`,
    { code: "ERR_GPU" },
  );
}
