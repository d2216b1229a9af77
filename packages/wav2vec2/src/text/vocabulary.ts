import { readFile } from "node:fs/promises";
import { unreadable } from "../audio/unreadable.js";
import { UserError } from "../errors.js";
import { writeFileAtomic } from "../files/atomic-file.js";

const BLANKS = ["<pad>", "[PAD]"];
const UNKNOWNS = ["<unk>", "[UNK]"];
export const WORD_DELIMITER = "|";

/**
 * The tokens that the CTC head tells apart, as in Hugging Face's `vocab.json`: a character a token, `|` for
 * the space between words, and the padding token in the part of CTC's blank.
 */
export class Vocabulary {
  /** Token of each id. */
  readonly tokens: readonly string[];
  readonly blankId: number;
  readonly unknownId: number;
  readonly delimiterId: number;
  readonly #ids: ReadonlyMap<string, number>;

  /**
   * @param tokens the token of each id
   * @param name where they come from, for messages
   * @throws UserError where a token stands twice or the blank, the unknown token or `|` is missing
   */
  constructor(tokens: readonly string[], name = "vocabulary") {
    this.tokens = [...tokens];
    this.#ids = new Map(tokens.map((token, id) => [token, id]));
    const duplicate = tokens.find((token, id) => this.#ids.get(token) !== id);
    if (duplicate !== undefined)
      throw new UserError(`${name} must hold each token once, but holds ${JSON.stringify(duplicate)} twice.`);
    this.blankId = this.#oneOf(BLANKS, "a padding token, which is CTC's blank", name);
    this.unknownId = this.#oneOf(UNKNOWNS, "an unknown token", name);
    this.delimiterId = this.#oneOf([WORD_DELIMITER], "the word delimiter", name);
  }

  #oneOf(tokens: string[], role: string, name: string): number {
    const found = tokens.filter((token) => this.#ids.has(token));
    if (found.length === 1) return this.#ids.get(found[0]!)!;
    throw new UserError(
      `${name} must hold ${role} (${tokens.join(" or ")}), but holds ${found.length === 0 ? "none" : "both"}.`,
    );
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
   * Parses `vocab.json`: an object from token to id.
   * @param name the file's name, for messages
   * @throws UserError where it is no such object or the ids are not 0 to size - 1, each once
   */
  static parse(json: string, name: string): Vocabulary {
    let entries: unknown;
    try {
      entries = JSON.parse(json);
    } catch (error) {
      throw new UserError(`${name} must be JSON, but is not: ${(error as Error).message}.`);
    }
    if (typeof entries !== "object" || entries === null || Array.isArray(entries))
      throw new UserError(`${name} must be an object from token to id, but is not.`);
    const tokens: string[] = [];
    const size = Object.keys(entries).length;
    for (const [token, id] of Object.entries(entries as Record<string, unknown>)) {
      if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= size)
        throw new UserError(
          `ids in ${name} must be 0 to ${size - 1}, but that of ${JSON.stringify(token)} is ${JSON.stringify(id)}.`,
        );
      if (tokens[id] !== undefined)
        throw new UserError(
          `ids in ${name} must be unique, but ${JSON.stringify(tokens[id])} and ${JSON.stringify(token)} share ${id}.`,
        );
      tokens[id] = token;
    }
    return new Vocabulary(tokens, name);
  }

  /** @throws UserError naming the file where it is missing or no valid vocabulary */
  static async read(path: string): Promise<Vocabulary> {
    const json = await readFile(path, "utf8").catch((error: unknown) => {
      throw unreadable(path, "a vocabulary", error);
    });
    return Vocabulary.parse(json, path);
  }

  /** Writes `vocab.json`, ordered by id; complete or not at all. */
  async write(path: string): Promise<void> {
    await writeFileAtomic(path, this.toJson());
  }

  toJson(): string {
    const lines = this.tokens.map((token, id) => `  ${JSON.stringify(token)}: ${id}`);
    return `{\n${lines.join(",\n")}\n}\n`; // not through an object, which would put the digits' keys first
  }

  get size(): number {
    return this.tokens.length;
  }

  id(token: string): number | undefined {
    return this.#ids.get(token);
  }
}
