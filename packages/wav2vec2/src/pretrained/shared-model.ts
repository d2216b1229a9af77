import {
  copyParameters,
  nn,
  type SharedParameter,
  scope,
  shareParameters,
  useParameters,
} from "@wav2vec2/libtorch";
import type { Wav2Vec2Config } from "../model/configuration.js";
import { Wav2Vec2ForCTC } from "../model/heads/ctc.js";
import type { Precision } from "../precision/precision-names.js";
import { CtcTokenizer, type TokenizerOptions } from "../text/tokenizer.js";
import { type TokenRoles, Vocabulary } from "../text/vocabulary.js";
import type { CtcModel } from "./ctc-directory.js";

/** A recogniser that can be posted to other threads, which use its weights where they are. */
export interface SharedModel {
  config: Wav2Vec2Config;
  tokens: readonly string[];
  roles: TokenRoles;
  tokenizer: TokenizerOptions;
  normalize: boolean;
  precision: Precision | undefined;
  parameters: readonly SharedParameter[];
}

/** Of a model that goes on being used, and trained, by itself: its weights as they are now. */
export async function copyModel(ctc: CtcModel): Promise<SharedModel> {
  return { ...describe(ctc), parameters: await copyParameters(ctc.model) };
}

/** Moves a model's weights, on the CPU, into memory that threads share. */
export function shareModel(ctc: CtcModel): SharedModel {
  return { ...describe(ctc), parameters: shareParameters(ctc.model) };
}

/** The model in this thread, on the CPU; it is for recognition alone, since training would change it for all. */
export function modelOf({ config, tokens, roles, tokenizer, parameters, ...how }: SharedModel): CtcModel {
  const model = scope(() => nn.init.deferred(() => new Wav2Vec2ForCTC(config)));
  useParameters(model, parameters);
  return { model, tokenizer: new CtcTokenizer(new Vocabulary(tokens, roles), tokenizer), ...how };
}

function describe({ model, tokenizer, normalize, precision }: CtcModel): Omit<SharedModel, "parameters"> {
  const { tokens, blankId, unknownId, delimiterId, bosId, eosId, additionalSpecialIds } =
    tokenizer.vocabulary;
  const token = (id: number | undefined) => (id === undefined ? null : tokens[id]!);
  return {
    config: model.config,
    tokens,
    roles: {
      pad: tokens[blankId]!,
      unk: token(unknownId),
      wordDelimiter: token(delimiterId),
      bos: token(bosId),
      eos: token(eosId),
      additionalSpecial: additionalSpecialIds.map((id) => tokens[id]!),
    },
    tokenizer: {
      lowerCase: tokenizer.lowerCase,
      wordSeparator: tokenizer.wordSeparator,
      phonemes: tokenizer.phonemes,
    },
    normalize,
    precision,
  };
}
