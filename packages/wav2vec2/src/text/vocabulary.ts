import { writeFileAtomic } from "#platform/files";
import { OBJECT, PATH, requireArguments, TEXTS } from "../argument-kinds.js";
import { UserError } from "../errors.js";

export const WORD_DELIMITER = "|";

/**
 * What single tokens stand for, under Hugging Face's names in `tokenizer_config.json` (less `_token`). Where one is
 * left out the usual names are looked for; null says that there is none.
 */
export interface TokenRoles {
  /** Padding, in the part of CTC's blank: `<pad>` or `[PAD]`. */
  readonly pad?: string;
  /** Any character that the vocabulary lacks: `<unk>` or `[UNK]`. */
  readonly unk?: string | null;
  /** The space between words: `|`. */
  readonly wordDelimiter?: string | null;
  /** `<s>` */
  readonly bos?: string | null;
  /** `</s>` */
  readonly eos?: string | null;
  /** Further tokens that are never part of a text. */
  readonly additionalSpecial?: readonly string[];
}

/**
 * The tokens that the CTC head tells apart, as in Hugging Face's `vocab.json`: mostly a character a token, one for the
 * space between words, and the padding token in the part of CTC's blank. Languages that are written without spaces may
 * have no word delimiter.
 */
export class Vocabulary {
  /** Token of each id. */
  readonly tokens: readonly string[];
  readonly blankId: number;
  readonly unknownId: number | undefined;
  readonly delimiterId: number | undefined;
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  /** Further tokens that are never part of a text. */
  readonly additionalSpecialIds: readonly number[];
  readonly #ids: ReadonlyMap<string, number>;
  readonly #special: ReadonlySet<number | undefined>;

  /**
   * @param tokens the token of each id
   * @param roles what single tokens stand for
   * @param name where they come from, for messages
   * @throws UserError where a token stands twice or is empty, or the blank is missing, not to be told or the delimiter
   */
  constructor(tokens: readonly string[], roles: TokenRoles = {}, name = "vocabulary") {
    requireArguments("new Vocabulary", { tokens: [tokens, TEXTS], roles: [roles, OBJECT] });
    this.tokens = [...tokens];
    this.#ids = new Map(tokens.map((token, id) => [token, id]));
    const duplicate = tokens.find((token, id) => this.#ids.get(token) !== id);
    if (duplicate !== undefined)
      throw new UserError(`${name} must hold each token once, but holds ${JSON.stringify(duplicate)} twice.`);
    if (this.#ids.has("")) throw new UserError(`${name} must hold tokens with text, but one is empty.`);

    const blank = this.#find(roles.pad, ["<pad>", "[PAD]"], name);
    if (blank === undefined)
      throw new UserError(
        `${name} must hold a padding token, which is CTC's blank (${roles.pad ?? "<pad> or [PAD]"}), but holds none.`,
      );
    this.blankId = blank;
    this.unknownId = this.#find(roles.unk, ["<unk>", "[UNK]"], name);
    this.delimiterId = this.#find(roles.wordDelimiter, [WORD_DELIMITER], name);
    if (this.delimiterId === blank)
      throw new UserError(
        `${name} must tell the blank from the word delimiter, but both are ${JSON.stringify(tokens[blank])}.`,
      );
    this.bosId = this.#find(roles.bos, ["<s>"], name);
    this.eosId = this.#find(roles.eos, ["</s>"], name);
    const named = [blank, this.delimiterId, this.unknownId, this.bosId, this.eosId];
    const additional = (roles.additionalSpecial ?? []).flatMap((token) => this.id(token) ?? []);
    this.additionalSpecialIds = [...new Set(additional)].filter((id) => !named.includes(id));
    this.#special = new Set([this.unknownId, this.bosId, this.eosId, ...this.additionalSpecialIds]);
  }

  #find(token: string | null | undefined, usual: readonly string[], name: string): number | undefined {
    if (token === null) return undefined;
    if (token !== undefined) return this.#ids.get(token);
    const found = usual.filter((candidate) => this.#ids.has(candidate));
    if (found.length > 1)
      throw new UserError(
        `${name} must hold one of ${usual.join(" and ")}, but holds both. Say in tokenizer_config.json which is meant.`,
      );
    return found[0] === undefined ? undefined : this.#ids.get(found[0]);
  }

  /**
   * Facebook's special tokens (`<pad>` 0, `<s>` 1, `</s>` 2, `<unk>` 3, `|` 4), then every character of the
   * texts in code-point order.
   * https://huggingface.co/facebook/wav2vec2-base-960h/blob/main/vocab.json
   * @throws UserError where a text holds `|`, which stands for the space, or none holds a character
   */
  static fromTranscripts(texts: Iterable<string>): Vocabulary {
    const characters = new Set<string>();
    for (const text of texts) {
      if (text.includes(WORD_DELIMITER))
        throw new UserError(
          `transcripts must not hold "|", which stands for the space between words, but one is ${JSON.stringify(text)}.`,
        );
      for (const character of text) if (character !== " ") characters.add(character);
    }
    if (characters.size === 0)
      throw new UserError("transcripts must hold at least one character, but hold none.");
    const sorted = [...characters].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
    return new Vocabulary(["<pad>", "<s>", "</s>", "<unk>", WORD_DELIMITER, ...sorted]);
  }

  /**
   * The same special tokens but for the word delimiter, then every phoneme of the texts, sorted. Phonemes are what stands
   * between spaces.
   * @throws UserError where no text holds a phoneme
   */
  static fromPhonemes(texts: Iterable<string>): Vocabulary {
    const phonemes = new Set<string>();
    for (const text of texts)
      for (const phoneme of text.split(/\s+/)) if (phoneme !== "") phonemes.add(phoneme);
    if (phonemes.size === 0)
      throw new UserError("transcripts must hold at least one phoneme, but hold none.");
    const special = ["<pad>", "<s>", "</s>", "<unk>"];
    const sorted = [...phonemes].filter((phoneme) => !special.includes(phoneme)).sort();
    return new Vocabulary([...special, ...sorted], { wordDelimiter: null });
  }

  /** Writes `vocab.json`, ordered by id; complete or not at all. */
  async write(path: string): Promise<void> {
    requireArguments("write", { path: [path, PATH] });
    const lines = this.tokens.map((token, id) => `  ${JSON.stringify(token)}: ${id}`);
    // Not through an object, which would put the digits' keys first.
    await writeFileAtomic(path, `{\n${lines.join(",\n")}\n}\n`);
  }

  get size(): number {
    return this.tokens.length;
  }

  id(token: string): number | undefined {
    return this.#ids.get(token);
  }

  /** Whether a token is never part of a text: the unknown token, `<s>`, `</s>` and the like, but not the blank. */
  isSpecial(id: number): boolean {
    return this.#special.has(id);
  }
}
