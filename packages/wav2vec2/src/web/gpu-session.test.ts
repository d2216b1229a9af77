import { expect, it } from "vitest";
import type { OnnxRuntime, OnnxSession } from "../export/onnx/onnx-engine.js";
import { endingSession, gpuOf } from "./gpu-session.js";

/** A device that can be lost, and a session on it. */
function gpu(run: OnnxSession["run"]) {
  let lose!: (info: { message: string }) => void;
  const lost = new Promise<{ message: string }>((resolve) => {
    lose = resolve;
  });
  const seen: string[] = [];
  const inner: OnnxSession = {
    inputNames: ["input_values"],
    run: (feeds) => {
      seen.push("run");
      return run(feeds);
    },
    release: async () => void seen.push("release"),
  };
  const session = endingSession(inner, { features: new Set<string>(), lost });
  return { session, lose, seen };
}

it("gives what the session gives", async () => {
  const logits = { data: new Float32Array(2), dims: [1, 2] };
  const { session, seen } = gpu(async () => ({ logits }));
  expect(session.inputNames).toEqual(["input_values"]);
  expect(await session.run({})).toEqual({ logits });
  await session.release();
  expect(seen).toEqual(["run", "release"]);
});

it("ends a run that waits for a GPU that is lost, and begins no other", async () => {
  const { session, lose, seen } = gpu(() => new Promise(() => {}));
  const running = session.run({});
  lose({ message: "The driver was reset." });
  const fault = { code: "ERR_GPU", message: expect.stringContaining("was lost: The driver was reset. Load") };
  await expect(running).rejects.toMatchObject(fault);
  await expect(session.run({})).rejects.toMatchObject(fault);
  await session.release();
  expect(seen).toEqual(["run"]);
});

it("says that it was the GPU that failed", async () => {
  const { session } = gpu(async () => {
    throw new Error("no pipeline");
  });
  await expect(session.run({})).rejects.toMatchObject({
    code: "ERR_GPU",
    message: expect.stringContaining("failed: no pipeline. Load"),
  });
});

it("knows the device of sessions on the GPU alone", async () => {
  const device = { features: new Set(["shader-f16"]), lost: new Promise(() => {}) };
  const ort = { env: { webgpu: { device: Promise.resolve(device) } } } as unknown as OnnxRuntime;
  expect(await gpuOf(ort, { executionProviders: ["webgpu"] })).toBe(device);
  expect(await gpuOf(ort, { executionProviders: [{ name: "webgpu" }, "wasm"] })).toBe(device);
  expect(await gpuOf(ort, { executionProviders: ["wasm"] })).toBeUndefined();
  expect(await gpuOf(ort, {})).toBeUndefined();
});
