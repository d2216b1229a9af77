import { join } from "#platform/paths";
import { type Kind, requireArguments } from "../argument-kinds.js";
import { UserError } from "../errors.js";
import type { OnnxEngine } from "../export/onnx/onnx-engine.js";
import { type JsonObject, readJsonObject } from "../files/json-file.js";
import type { Wav2Vec2Config } from "../model/configuration.js";
import { configFromHuggingFace } from "../model/configuration-json.js";
import { readNormalize } from "../pretrained/preprocessor.js";
import { requireVocabulary } from "../pretrained/require-vocabulary.js";
import { CtcDecoder } from "../text/decoding/ctc-decoder.js";
import { CtcTokenizer } from "../text/tokenizer.js";
import type { ClipScorer, Emissions } from "./emissions/emissions.js";
import { SpeechRecognizer } from "./speech-recognizer.js";

const DECODER: Kind = {
  must: "a CtcDecoder",
  holds: (value) => value instanceof CtcDecoder,
  advice: () => "Make one: new CtcDecoder(recognizer.tokenizer, options).",
};

/** A recogniser that onnxruntime runs. */
export class OnnxRecognizer extends SpeechRecognizer {
  readonly #engine: OnnxEngine;

  constructor(engine: OnnxEngine, scorer: ClipScorer, tokenizer: CtcTokenizer, decoder: CtcDecoder) {
    super(scorer, tokenizer, decoder);
    this.#engine = engine;
  }

  /** The same network with another way to decode, such as other hotwords. */
  withDecoder(decoder: CtcDecoder): OnnxRecognizer {
    requireArguments("withDecoder", { decoder: [decoder, DECODER] });
    return new OnnxRecognizer(this.#engine, this.scorer, this.tokenizer, decoder);
  }

  /** Gives back the network's memory. */
  async close(): Promise<void> {
    await this.#engine.close();
  }
}

/** What `wav2vec2 export` writes beside the network. */
export interface ExportedModel {
  config: Wav2Vec2Config;
  /** config.json as it is. */
  json: JsonObject;
  tokenizer: CtcTokenizer;
  /** Whether clips are brought to zero mean and unit variance first. */
  normalize: boolean;
}

/**
 * @param directory a path, in pages an address
 * @param language of a multilingual vocabulary
 * @throws UserError where a file is missing or damaged, or does not fit the others
 */
export async function readExported(directory: string, language: string | undefined): Promise<ExportedModel> {
  const { config, json } = await readModelConfig(directory);
  const choice = language === undefined ? { size: config.vocabSize ?? undefined } : { language };
  const [tokenizer, normalize] = await Promise.all([
    CtcTokenizer.read(directory, choice),
    readNormalize(directory),
  ]);
  requireVocabulary(directory, config, tokenizer);
  return { config, json, tokenizer, normalize };
}

async function readModelConfig(directory: string): Promise<{ config: Wav2Vec2Config; json: JsonObject }> {
  const path = join(directory, "config.json");
  const json = await readJsonObject(path);
  if (json === undefined)
    throw new UserError(
      `${directory} must hold a model that wav2vec2 export wrote, but has no config.json. Correct the address.`,
      { code: "ERR_MODEL_NOT_FOUND" },
    );
  return { config: configFromHuggingFace(json, path), json };
}

/** One clip at a time: onnxruntime refuses a second run of a session that is busy. */
export function onnxScorer(
  engine: OnnxEngine,
  { config, normalize, tokenizer: { vocabulary } }: ExportedModel,
): ClipScorer {
  let last: Promise<unknown> = Promise.resolve();
  const run = async (samples: Float32Array): Promise<Emissions> => {
    const { logits, frames } = await engine.run(samples, [samples.length]);
    const tokens = logits.length / frames;
    if (tokens !== vocabulary.size)
      throw new UserError(
        `The network must score the ${vocabulary.size} tokens of its vocabulary, but scores ${tokens}. Export the model again.`,
        { code: "ERR_MODEL_INVALID" },
      );
    return { logits, frames };
  };
  return {
    config,
    normalize,
    score(samples) {
      const next = last.then(() => run(samples));
      last = next.catch(() => {});
      return next;
    },
  };
}
