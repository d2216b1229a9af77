import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  loadState,
  type nn,
  openTensors,
  type StateMismatch,
  type TensorEntry,
  type TensorSource,
} from "@wav2vec2/libtorch";
import { UserError } from "../errors.js";
import { chooseWeights, isExported, WEIGHT_FILES } from "../files/hub/model-files.js";
import { Wav2Vec2ForAudioFrameClassification } from "../model/heads/audio-frame-classification.js";
import { Wav2Vec2ForCTC } from "../model/heads/ctc.js";
import { ATTENTION_ADAPTER } from "../model/heads/model-with-head.js";
import { Wav2Vec2ForPreTraining } from "../model/heads/pretraining/pretraining.js";
import { Wav2Vec2ForSequenceClassification } from "../model/heads/sequence-classification.js";
import { Wav2Vec2ForXVector } from "../model/heads/xvector.js";
import { type ModelClass, stateKeys } from "../model/state-keys.js";
import { Wav2Vec2Model } from "../model/wav2vec2-model.js";
import type { Backbone } from "./backbone.js";

/** Hugging Face's classes, the network itself last: it is what others extend. */
const CLASSES = {
  Wav2Vec2ForCTC,
  Wav2Vec2ForPreTraining,
  Wav2Vec2ForSequenceClassification,
  Wav2Vec2ForAudioFrameClassification,
  Wav2Vec2ForXVector,
  Wav2Vec2Model,
};

/** The name of a model's class for `architectures` of config.json: Hugging Face's, for a subclass its base's. */
export function modelClassOf(model: nn.Module): string {
  const known = Object.entries(CLASSES).find(([, modelClass]) => model instanceof modelClass);
  return known?.[0] ?? model.constructor.name;
}

/** @throws UserError where the directory holds no weights that can be read */
export function weightsPath(directory: string): string {
  const name = chooseWeights((candidate) => existsSync(join(directory, candidate)));
  if (name !== undefined) return join(directory, name);
  if (isExported(directory))
    throw new UserError(
      `${directory} must hold the weights of a model (${WEIGHT_FILES.join(", ")}), but holds what export wrote alone, which ` +
        "onnxruntime runs: transcribe, evaluate and serve with --engine onnx, from code loadOnnxRecognizer. " +
        "Name the model that was exported.",
    );
  throw new UserError(
    `${directory} must hold the weights of a model (${WEIGHT_FILES.join(", ")}), but holds none of them. ` +
      "Name a model directory.",
  );
}

/** Opens a file of tensors and closes it afterwards. @throws UserError where it cannot be read */
export async function withTensors<T>(path: string, body: (source: TensorSource) => Promise<T>): Promise<T> {
  try {
    const source = await openTensors(path);
    try {
      return await body(source);
    } finally {
      await source.close();
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError((error as Error).message, { cause: error });
  }
}

/** Whether a model's weights hold tensors whose names, as those of a class, begin with `prefix`. */
export async function holdsTensors(
  directory: string,
  modelClass: ModelClass,
  prefix: string,
): Promise<boolean> {
  const keys = await withTensors(weightsPath(directory), async ({ entries }) => [...entries.keys()]);
  const { rename } = stateKeys(keys, modelClass);
  return keys.some((key) => rename(key)?.startsWith(prefix));
}

const FAIRSEQ_ADAPTER = /\.adapter_layer\.(W|b|ln)_\w$/;

/** fairseq keeps the adapters of several languages in one tensor: of one alone, a first dimension of 1 is left out. */
export function withoutAdapterAxis(source: TensorSource): TensorSource {
  const entries = Array.from(source.entries, ([key, entry]): [string, TensorEntry] => {
    const single = FAIRSEQ_ADAPTER.test(key) && entry.shape[0] === 1;
    return [key, single ? { ...entry, shape: entry.shape.slice(1) } : entry];
  });
  return {
    path: source.path,
    metadata: source.metadata,
    entries: new Map(entries),
    read: (name, into) => source.read(name, into),
    locate: (name) => source.locate(name),
    close: () => source.close(),
  };
}

/**
 * Copies a file's weights into a model, whichever of Hugging Face's classes it was saved from and under Hugging Face's names
 * or fairseq's. A model of another class has its backbone filled, and what else the file has under the model's own keys.
 *
 * @param options.heads false leaves out all that is outside the backbone, also heads of the model's own class
 * @param options.adapters false leaves the file's attention adapters out
 * @returns where names and shapes do not fit; heads of other classes are left out without a word. Parameters that the
 * file does not have keep their first values
 */
export async function loadWeights(
  model: nn.Module,
  { prefix }: Backbone,
  source: TensorSource,
  { heads = true, adapters = true }: { heads?: boolean; adapters?: boolean } = {},
): Promise<StateMismatch> {
  const own = new Set(Array.from(model.namedParameters(), ([key]) => key));
  const keys = stateKeys(source.entries.keys(), { backbone: prefix, owns: (key) => own.has(key) });
  const rename = (key: string) => {
    const name = keys.rename(key);
    if (name === undefined || (!heads && own.has(name) && !name.startsWith(prefix))) return undefined;
    return adapters || !ATTENTION_ADAPTER.test(name) ? name : undefined;
  };
  return await loadState(model, withoutAdapterAxis(source), { rename });
}
