import { writeFileAtomic } from "#platform/files";
import { join } from "#platform/paths";
import {
  BOOLEAN,
  choice,
  ITERABLE,
  isObject,
  type Kind,
  PATH,
  requireArguments,
  TEXT,
} from "../argument-kinds.js";
import { describeValue } from "../describe-type.js";
import { ConfigurationError, UserError } from "../errors.js";
import { type KnownOptions, requireOptions } from "../known-options.js";
import { inKnownForm } from "../unicode/unicode-forms.js";
import { PHONEME_CLASS, readTokenizerFiles, type TokenizerChoice } from "./tokenizer-files.js";
import { tokenizerJson, tokenPattern } from "./tokenizer-json.js";
import { Vocabulary } from "./vocabulary.js";

/** How a tokenizer treats text beyond its vocabulary; Hugging Face's `tokenizer_config.json`. */
export interface TokenizerOptions {
  /** Text is upper-cased to be looked up and lower-cased when decoded (`do_lower_case`). */
  lowerCase?: boolean;
  /** What the word delimiter becomes in a text (`replace_word_delimiter_char`). */
  wordSeparator?: string;
  /** Texts are phonemes with spaces between them, each a token, as `Wav2Vec2PhonemeCTCTokenizer` writes them. */
  phonemes?: boolean;
}

/** What to do about phonemes that are none of a vocabulary's. */
export const WRITE_PHONEMES = "Write the vocabulary's phonemes with spaces between them, not words.";

/** Texts are phonemes already: transformers is not to make them of words, for which it needs espeak. */
const PHONEME_SETTINGS = { do_phonemize: false, phone_delimiter_token: " " };

const OPTIONS = {
  lowerCase: BOOLEAN,
  wordSeparator: TEXT,
  phonemes: BOOLEAN,
} satisfies KnownOptions<TokenizerOptions>;

const VOCABULARY: Kind = {
  must: "a Vocabulary",
  holds: (value) => value instanceof Vocabulary,
  advice: (value) =>
    Array.isArray(value)
      ? "Make one: new Vocabulary(tokens)."
      : typeof value === "string"
        ? "Read a model's own: await CtcTokenizer.read(directory)."
        : undefined,
};

const GROUPING: Kind = {
  must: "{ groupTokens }",
  holds: (value) => isObject(value) && typeof value.groupTokens === "boolean",
  isOfType: isObject,
  advice: () => "Give true for ids of one frame each, false for labels.",
};

const IDS: Kind = {
  ...ITERABLE,
  advice: (value) => (isObject(value) && "toArray" in value ? "Give its toArray()." : undefined),
};

/**
 * Text to labels and back, mostly a character a token, as `Wav2Vec2CTCTokenizer` does:
 * https://github.com/huggingface/transformers/blob/main/src/transformers/models/wav2vec2/tokenization_wav2vec2.py
 * or a phoneme a token, as `Wav2Vec2PhonemeCTCTokenizer` does with phonemes; words are never made into phonemes here.
 */
export class CtcTokenizer {
  readonly lowerCase: boolean;
  readonly wordSeparator: string;
  readonly phonemes: boolean;
  /** Of tokens longer than a character; undefined where there are none. */
  readonly #pattern: RegExp | undefined;
  /** Labels of pieces of text met so far: a large corpus is encoded before training, to find impossible targets. */
  readonly #labels = new Map<string, number | undefined>();

  constructor(
    readonly vocabulary: Vocabulary,
    options: TokenizerOptions = {},
  ) {
    requireArguments("new CtcTokenizer", { vocabulary: [vocabulary, VOCABULARY] });
    requireOptions("new CtcTokenizer", options, OPTIONS);
    const { lowerCase = false, wordSeparator = " ", phonemes = false } = options;
    this.lowerCase = lowerCase;
    this.wordSeparator = wordSeparator;
    this.phonemes = phonemes;
    const long = longTokens(vocabulary);
    this.#pattern = long.length > 0 ? new RegExp(tokenPattern(long), "gu") : undefined;
  }

  /**
   * Labels of a transcript; the space becomes the word delimiter, repeated letters stay repeated. Where tokens are
   * longer than a character the longest is taken. A character that the vocabulary has in another form alone
   * ({@link inVocabularyForm}) gets the label of that. Of phonemes each that stands between spaces is a token.
   * @param text words, or phonemes, with single spaces between them
   * @param options.utterance its id, for messages
   * @param options.unknown what a character outside the vocabulary becomes: an error (the default) or the
   * unknown token
   * @returns [tokens]
   * @throws UserError naming the character and the utterance
   */
  encode(text: string, options: { utterance?: string; unknown?: "error" | "token" } = {}): Int32Array {
    requireArguments("encode", { text: [text, TEXT] });
    requireOptions("encode", options, { utterance: TEXT, unknown: choice("error", "token") });
    const written = this.inVocabularyForm(text);
    const labels = new Int32Array(this.#written(written).length);
    let count = 0;
    for (const piece of this.#pieces(written))
      labels[count++] = this.#knownLabel(piece) ?? this.#unknownLabel(piece, text, options);
    return labels.slice(0, count);
  }

  /** The characters, or phonemes, of a text that the vocabulary has no token for, in whatever form. */
  unknownIn(text: string): string[] {
    requireArguments("unknownIn", { text: [text, TEXT] });
    return this.#unknownPieces(this.inVocabularyForm(text));
  }

  /**
   * A text with each character in the form that the vocabulary has, where it has it in another one alone: é as one code point
   * or two, letters of full width, other apostrophes; what is never seen is left out. What the vocabulary tells apart
   * stays, and so do phonemes.
   */
  inVocabularyForm(text: string): string {
    requireArguments("inVocabularyForm", { text: [text, TEXT] });
    if (this.phonemes) return text;
    return inKnownForm(text, (part) => this.#unknownPieces(part).length === 0);
  }

  #unknownPieces(text: string): string[] {
    return [...this.#pieces(text)].filter((piece) => this.#knownLabel(piece) === undefined);
  }

  #written(text: string): string {
    return this.lowerCase ? text.toUpperCase() : text;
  }

  /** What labels stand for; a string's items are its characters. */
  #pieces(text: string): Iterable<string> {
    const written = this.#written(text);
    if (this.phonemes) return written.split(/\s+/).filter(Boolean);
    return this.#pattern ? (written.match(this.#pattern) ?? []) : written;
  }

  #knownLabel(piece: string): number | undefined {
    let label = this.#labels.get(piece);
    if (label === undefined) {
      label = this.#label(piece);
      this.#labels.set(piece, label);
    }
    return label;
  }

  #unknownLabel(
    piece: string,
    text: string,
    options: { utterance?: string; unknown?: "error" | "token" },
  ): number {
    const { unknownId } = this.vocabulary;
    if (options.unknown === "token" && unknownId !== undefined) return unknownId;
    const where = options.utterance === undefined ? JSON.stringify(text) : `utterance ${options.utterance}`;
    if (this.phonemes)
      throw new UserError(
        `phonemes of ${where} must be in the vocabulary, but ${JSON.stringify(piece)} is not. ${WRITE_PHONEMES}`,
      );
    const code = piece.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
    throw new UserError(
      `characters of ${where} must be in the vocabulary, but ${JSON.stringify(piece)} (U+${code}) is not. ` +
        "Change the transcript or use a vocabulary that holds it.",
    );
  }

  #label(piece: string): number | undefined {
    const { vocabulary } = this;
    if (piece === " ") return vocabulary.delimiterId;
    const id = vocabulary.id(piece);
    // A literal "|" would come back as a space; the blank and "<s>" are no text.
    const isText =
      id !== undefined &&
      id !== vocabulary.delimiterId &&
      id !== vocabulary.blankId &&
      !vocabulary.isSpecial(id);
    return isText ? id : undefined;
  }

  /**
   * Text of token ids: repeats are collapsed where asked, then blanks and the other special tokens dropped.
   * That is `Wav2Vec2CTCTokenizer.decode(ids)` less the special tokens' names. Its `skip_special_tokens=True`
   * is not followed: transformers 5 then drops blanks before it collapses, and HELLO becomes HELO.
   * @param ids of one text; bigints too, as int64 tensors give them
   * @param options.groupTokens true for ids that stand for one frame each, false for labels, whose double
   * letters are meant
   * @throws ConfigurationError where an id is not in the vocabulary
   */
  decode(ids: Iterable<number | bigint>, options: { groupTokens: boolean }): string {
    requireArguments("decode", { ids: [ids, IDS], options: [options, GROUPING] });
    const { vocabulary, lowerCase, wordSeparator } = this;
    const { blankId, delimiterId, tokens, size } = vocabulary;
    const parts: string[] = [];
    let previous = -1;
    for (const given of ids) {
      const id = typeof given === "bigint" ? Number(given) : given;
      if (!(Number.isInteger(id) && id >= 0 && id < size))
        throw new ConfigurationError(
          `id must be a whole number from 0 to ${size - 1}, but is ${describeValue(given)}.`,
        );
      const repeated = options.groupTokens && id === previous;
      if (!repeated && id !== blankId && !vocabulary.isSpecial(id))
        parts.push(id === delimiterId ? wordSeparator : tokens[id]!);
      previous = id;
    }
    const text = parts.join(this.phonemes ? " " : "");
    return lowerCase ? text.trim().toLowerCase() : text.trim();
  }

  /**
   * Reads the tokenizer of any wav2vec 2.0 model with a CTC head in Hugging Face's layout; `readTokenizerFiles` says
   * from which files and how.
   *
   * @throws UserError naming the file that is missing, invalid or does not fit the others
   */
  static async read(directory: string, choice: TokenizerChoice = {}): Promise<CtcTokenizer> {
    requireArguments("CtcTokenizer.read", { directory: [directory, PATH] });
    const { tokens, roles, name, ...options } = await readTokenizerFiles(directory, choice);
    return new CtcTokenizer(new Vocabulary(tokens, roles, name), options);
  }

  /**
   * Writes `vocab.json`, `special_tokens_map.json`, `tokenizer_config.json` and, for transformers.js and Hugging Face's
   * tokenizers library, `tokenizer.json` into an existing directory; the last not for phonemes.
   */
  async write(directory: string): Promise<void> {
    requireArguments("write", { directory: [directory, PATH] });
    const { vocabulary } = this;
    const token = (id: number | undefined) => (id === undefined ? null : vocabulary.tokens[id]);
    const specialTokens = {
      // null keeps transformers from adding these behind the vocabulary
      bos_token: token(vocabulary.bosId),
      eos_token: token(vocabulary.eosId),
      pad_token: token(vocabulary.blankId),
      unk_token: token(vocabulary.unknownId),
      ...(vocabulary.additionalSpecialIds.length > 0 && {
        additional_special_tokens: vocabulary.additionalSpecialIds.map(token),
      }),
    };
    const configuration = {
      ...specialTokens,
      ...(this.phonemes && PHONEME_SETTINGS),
      // It would take the space out of "IT 'S", which is for word pieces.
      clean_up_tokenization_spaces: false,
      do_lower_case: this.lowerCase,
      replace_word_delimiter_char: this.wordSeparator,
      tokenizer_class: this.phonemes ? PHONEME_CLASS : "Wav2Vec2CTCTokenizer",
      // transformers would add its default, and cannot encode text with null.
      word_delimiter_token: token(vocabulary.delimiterId) ?? (this.phonemes ? null : ""),
    };
    const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`;
    await vocabulary.write(join(directory, "vocab.json"));
    await writeFileAtomic(join(directory, "special_tokens_map.json"), json(specialTokens));
    await writeFileAtomic(join(directory, "tokenizer_config.json"), json(configuration));
    // The tokenizers library has no decoder that puts spaces between tokens.
    if (!this.phonemes) await writeFileAtomic(join(directory, "tokenizer.json"), json(tokenizerJson(this)));
  }
}

/** The tokens of text that are longer than a character. */
function longTokens(vocabulary: Vocabulary): string[] {
  return vocabulary.tokens.filter(
    (token, id) =>
      [...token].length > 1 &&
      id !== vocabulary.blankId &&
      id !== vocabulary.delimiterId &&
      !vocabulary.isSpecial(id),
  );
}
