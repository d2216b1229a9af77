import { join } from "#platform/paths";
import { UserError } from "../errors.js";
import type { Wav2Vec2Config } from "../model/configuration.js";
import type { CtcTokenizer } from "../text/tokenizer.js";

/** @throws UserError where a directory's network and its tokenizer do not fit each other */
export function requireVocabulary(
  directory: string,
  config: Wav2Vec2Config,
  { vocabulary }: CtcTokenizer,
): void {
  if (vocabulary.size !== config.vocabSize) {
    throw new UserError(
      `${join(directory, "vocab.json")} must have ${config.vocabSize} tokens as config.json's vocab_size, ` +
        `but has ${vocabulary.size}.`,
    );
  }
  if (vocabulary.blankId !== config.padTokenId) {
    throw new UserError(
      `pad_token_id of ${join(directory, "config.json")} must be ${vocabulary.blankId}, the padding token of ` +
        `vocab.json and CTC's blank, but is ${config.padTokenId}.`,
    );
  }
}
