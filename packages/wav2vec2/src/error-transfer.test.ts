import { Worker } from "node:worker_threads";
import { BridgeError, TorchError } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { plainError, reviveError } from "./error-transfer.js";
import { ConfigurationError, UserError, withCode } from "./errors.js";

/** As a message of another thread brings it. */
async function throughThread(error: unknown): Promise<Error> {
  const echo =
    "const { parentPort } = require('node:worker_threads'); parentPort.on('message', (m) => parentPort.postMessage(m));";
  const worker = new Worker(echo, { eval: true });
  worker.postMessage(plainError(error));
  const plain = await new Promise((resolve) => worker.once("message", resolve));
  await worker.terminate();
  return reviveError(plain as ReturnType<typeof plainError>);
}

describe("an error in another thread", () => {
  it.each([
    new UserError("a.flac must be whole.", { code: "ERR_AUDIO_TRUNCATED" }),
    new ConfigurationError("beamWidth must be 1."),
    new TorchError("mm", "shapes do not fit", "[2] and [3]"),
    new BridgeError("The bridge must load."),
    new RangeError("frames must be at least 4."),
    Object.assign(new TypeError("wrong"), { code: "ERR_INVALID_ARG_TYPE" }),
    new Error("anything"),
  ])("stays what it is: %o", async (error) => {
    const revived = await throughThread(error);
    expect(revived.constructor).toBe(error.constructor);
    expect([revived.name, revived.message, revived.stack]).toEqual([error.name, error.message, error.stack]);
    expect({ ...revived }).toEqual({ ...error });
  });

  it("may be no Error at all", async () => {
    expect(await throughThread("text")).toMatchObject({ name: "Error", message: "text" });
  });
});

describe("codes", () => {
  it("are given where there is none that says more", async () => {
    const thrown = (error: Error) =>
      withCode("ERR_MODEL_INVALID", () => Promise.reject(error)).catch((caught: unknown) => caught);
    expect(await thrown(new UserError("x"))).toMatchObject({ code: "ERR_MODEL_INVALID" });
    expect(await thrown(new UserError("x", { code: "ERR_FILE_NOT_FOUND" }))).toMatchObject({
      code: "ERR_FILE_NOT_FOUND",
    });
    expect(await thrown(new ConfigurationError("config.json"))).toMatchObject({ code: "ERR_MODEL_INVALID" });
    const usage = withCode("ERR_AUDIO_CORRUPT", () => Promise.reject(new ConfigurationError("x")));
    await expect(usage).rejects.toMatchObject({ code: "ERR_CONFIGURATION" });
    expect(await thrown(new Error("x"))).not.toHaveProperty("code");
  });
});
