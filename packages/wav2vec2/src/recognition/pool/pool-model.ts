import { stat } from "node:fs/promises";
import { join } from "node:path";
import { networkFile } from "../../export/onnx/dtypes.js";
import { exportedDtype } from "../../export/onnx/exported-dtypes.js";
import type { WantedPrecision } from "../../precision/precision-names.js";
import type { CtcModel } from "../../pretrained/ctc-directory.js";
import type { SharedModel } from "../../pretrained/shared-model.js";
import type { ThreadData, ThreadModel } from "./messages.js";
import { PoolThread } from "./pool-thread.js";

/** What a pool's threads run. */
export interface PoolModel {
  forThreads: ThreadModel;
  /** Of its weights. */
  bytes: number;
}

/** How a model of libtorch is loaded. */
interface Loading {
  revision: string | undefined;
  language: string | undefined;
  precision: WantedPrecision | undefined;
}

/** A model of libtorch in memory that threads share. */
export async function sharedModel(
  model: CtcModel | string,
  loading: Loading,
  settings: Omit<ThreadData, "model">,
  onNote: (text: string) => void,
): Promise<PoolModel> {
  const shared =
    typeof model === "string"
      ? await loadInThread(model, loading, settings, onNote)
      : await copyOf(model, loading, settings, onNote);
  const bytes = shared.parameters.reduce((sum, parameter) => sum + parameter.bytes.length, 0);
  return { forThreads: { kind: "shared", shared }, bytes };
}

async function copyOf(
  model: CtcModel,
  { precision }: Loading,
  { device: computesOn }: Omit<ThreadData, "model">,
  onNote: (text: string) => void,
): Promise<SharedModel> {
  const { resolveDevice } = await import("../../device.js");
  const { inPrecision } = await import("../../precision/in-precision.js");
  const { copyModel } = await import("../../pretrained/shared-model.js");
  const device = resolveDevice(computesOn);
  return await copyModel(await inPrecision(model, precision, { device, onNote }));
}

/** Loaded in a thread, which is not this one. */
async function loadInThread(
  nameOrDirectory: string,
  loading: Loading,
  settings: Omit<ThreadData, "model">,
  onNote: (text: string) => void,
): Promise<SharedModel> {
  const source = { kind: "load", nameOrDirectory, ...loading, computesOn: settings.device } as const;
  const data = { ...settings, model: source, decoding: {}, device: "cpu" };
  const loader = new PoolThread(data, { onRoom: () => {}, onGone: () => {}, onNote });
  const shared = (await loader.ready)!;
  await loader.close();
  (await import("@wav2vec2/libtorch")).releaseMemory(); // what it had loaded the model into
  return shared;
}

/**
 * What `export` wrote, of which each thread opens a network of its own; what else is wrong with it is told by these.
 *
 * @throws UserError where it holds no network, or none of that dtype
 */
export async function exportedModel(
  directory: string,
  { language, dtype }: { language: string | undefined; dtype: string | undefined },
): Promise<PoolModel> {
  const network = join(directory, networkFile(exportedDtype(directory, dtype)));
  let bytes = 0;
  for (const path of [network, `${network}_data`])
    bytes += (await stat(path).catch(() => undefined))?.size ?? 0;
  return { forThreads: { kind: "exported", directory, language, dtype }, bytes };
}
