import { setThreads } from "@wav2vec2/libtorch";
import { resolveDevice } from "../../device.js";
import { inPrecision } from "../../precision/in-precision.js";
import { type CtcModel, findCtcModel } from "../../pretrained/ctc-directory.js";
import { modelOf, type SharedModel, shareModel } from "../../pretrained/shared-model.js";
import { scoreWindows } from "../emissions/torch-scorer.js";
import type { ThreadData, ThreadModel } from "./messages.js";
import type { PoolNetwork } from "./pool-network.js";

/** One window of a file, 30 s: processors compute larger batches no faster, and a thread's memory grows with them. */
const MOST_ON_PROCESSOR = 30 * 16_000;

/** A model of libtorch: that which another thread has loaded, or one that this thread loads for the others too. */
export async function openTorchNetwork(
  model: Exclude<ThreadModel, { kind: "exported" }>,
  { device, torchThreads }: Pick<ThreadData, "device" | "torchThreads">,
  onNote: (text: string) => void,
): Promise<PoolNetwork> {
  setThreads(torchThreads);
  let ctc: CtcModel;
  let shared: SharedModel | undefined;
  if (model.kind === "shared") ctc = modelOf(model.shared);
  else {
    const { kind: _, nameOrDirectory, precision, computesOn, ...options } = model;
    const loaded = await findCtcModel(nameOrDirectory, { ...options, onNote, device: "cpu" });
    ctc = await inPrecision(loaded, precision, { device: resolveDevice(computesOn), onNote });
    shared = shareModel(ctc);
  }
  const place = resolveDevice(device);
  if (place !== "cpu") ctc.model.to({ device: place });
  ctc.model.eval();
  const { tokenizer, normalize } = ctc;
  return {
    tokenizer,
    config: ctc.model.config,
    normalize,
    scoreWindows: (windows) => scoreWindows(ctc, windows),
    mostSamples: place === "cpu" ? MOST_ON_PROCESSOR : undefined,
    shared,
  };
}
