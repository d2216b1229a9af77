import { join } from "node:path";
import { UserError } from "../errors.js";
import { writeFileAtomic } from "../files/atomic-file.js";
import { Vocabulary, WORD_DELIMITER } from "./vocabulary.js";

/**
 * Text to labels and back, a character a token, as `Wav2Vec2CTCTokenizer` does:
 * https://github.com/huggingface/transformers/blob/main/src/transformers/models/wav2vec2/tokenization_wav2vec2.py
 */
export class CtcTokenizer {
  constructor(readonly vocabulary: Vocabulary) {}

  /**
   * Labels of a transcript; the space becomes `|`, repeated letters stay repeated.
   * @param text words with single spaces between them
   * @param options.utterance its id, for messages
   * @param options.unknown what a character outside the vocabulary becomes: an error (the default) or the
   * unknown token
   * @returns [characters]
   * @throws UserError naming the character and the utterance
   */
  encode(text: string, options: { utterance?: string; unknown?: "error" | "token" } = {}): Int32Array {
    const { vocabulary } = this;
    return Int32Array.from([...text], (character) => {
      if (character === " ") return vocabulary.delimiterId;
      // A literal "|" would come back as a space.
      const id = character === WORD_DELIMITER ? undefined : vocabulary.id(character);
      if (id !== undefined) return id;
      if (options.unknown === "token") return vocabulary.unknownId;
      const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
      const where = options.utterance === undefined ? JSON.stringify(text) : `utterance ${options.utterance}`;
      throw new UserError(
        `characters of ${where} must be in the vocabulary, but ${JSON.stringify(character)} (U+${code}) is not. ` +
          "Change the transcript or use a vocabulary that holds it.",
      );
    });
  }

  /**
   * Text of token ids: repeats are collapsed where asked, then blanks and the other special tokens dropped.
   * That is `Wav2Vec2CTCTokenizer.decode(ids)` less the special tokens' names. Its `skip_special_tokens=True`
   * is not followed: transformers 5 then drops blanks before it collapses, and HELLO becomes HELO.
   * @param options.groupTokens true for ids that stand for one frame each, false for labels, whose double
   * letters are meant
   */
  decode(ids: Iterable<number>, options: { groupTokens: boolean }): string {
    const { blankId, delimiterId, tokens, size } = this.vocabulary;
    let text = "";
    let previous = -1;
    for (const id of ids) {
      if (id < 0 || id >= size) throw new RangeError(`id must be from 0 to ${size - 1}, but is ${id}.`);
      const repeated = options.groupTokens && id === previous;
      if (!repeated && id !== blankId && !this.#isSpecial(id)) text += id === delimiterId ? " " : tokens[id];
      previous = id;
    }
    return text.trim();
  }

  #isSpecial(id: number): boolean {
    return id === this.vocabulary.unknownId || ["<s>", "</s>"].includes(this.vocabulary.tokens[id]!);
  }

  /** @throws UserError naming the file where `vocab.json` in the directory is missing or invalid */
  static async read(directory: string): Promise<CtcTokenizer> {
    return new CtcTokenizer(await Vocabulary.read(join(directory, "vocab.json")));
  }

  /** Writes `vocab.json`, `special_tokens_map.json` and `tokenizer_config.json` into an existing directory. */
  async write(directory: string): Promise<void> {
    const { vocabulary } = this;
    const specialTokens = {
      // null keeps transformers from adding these two behind the vocabulary
      bos_token: vocabulary.id("<s>") === undefined ? null : "<s>",
      eos_token: vocabulary.id("</s>") === undefined ? null : "</s>",
      pad_token: vocabulary.tokens[vocabulary.blankId],
      unk_token: vocabulary.tokens[vocabulary.unknownId],
    };
    const configuration = {
      ...specialTokens,
      do_lower_case: false,
      replace_word_delimiter_char: " ",
      tokenizer_class: "Wav2Vec2CTCTokenizer",
      word_delimiter_token: WORD_DELIMITER,
    };
    const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`;
    await vocabulary.write(join(directory, "vocab.json"));
    await writeFileAtomic(join(directory, "special_tokens_map.json"), json(specialTokens));
    await writeFileAtomic(join(directory, "tokenizer_config.json"), json(configuration));
  }
}
