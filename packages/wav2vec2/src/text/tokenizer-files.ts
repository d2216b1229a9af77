import { join } from "#platform/paths";
import { UserError } from "../errors.js";
import { isJsonObject, type JsonObject, readJsonObject } from "../files/json-file.js";
import type { TokenRoles } from "./vocabulary.js";

/** What the files leave open. */
export interface TokenizerChoice {
  /** Of a multilingual vocabulary; `target_lang` of tokenizer_config.json where left out. */
  language?: string | undefined;
  /**
   * Outputs of the CTC head. Tokens that transformers adds behind `vocab.json`, and that a head without outputs for
   * them can never give, are left out.
   */
  size?: number | undefined;
}

/** What a directory says of its tokenizer. */
export interface TokenizerFiles {
  /** The token of each id. */
  tokens: string[];
  roles: TokenRoles;
  lowerCase: boolean;
  wordSeparator: string;
  /** Whether texts are phonemes with spaces between them. */
  phonemes: boolean;
  /** The file that the tokens are from. */
  name: string;
}

type Tokens = Map<string, number>;

/** Transformers' class for texts of phonemes with spaces between them. */
export const PHONEME_CLASS = "Wav2Vec2PhonemeCTCTokenizer";

/** Classes that read `vocab.json` as this project does; those of others mean other texts by the same tokens. */
const CLASSES = [
  "Wav2Vec2CTCTokenizer",
  PHONEME_CLASS,
  "Wav2Vec2Tokenizer",
  "PreTrainedTokenizerFast",
  "TokenizersBackend",
];

/**
 * Reads what `Wav2Vec2CTCTokenizer.from_pretrained` reads of a directory: `vocab.json` with the tokens of one language
 * or of several, the tokens that were added behind it, and the roles of tokens in `tokenizer_config.json` and
 * `special_tokens_map.json`. As there, `<s>`, `</s>` and the like are added behind the vocabulary where it lacks them
 * and the files do not say null. Where there is no `vocab.json`, `tokenizer.json` with a CTC decoder is read.
 *
 * @throws UserError naming the file that is missing, invalid or does not fit the others
 */
export async function readTokenizerFiles(
  directory: string,
  choice: TokenizerChoice = {},
): Promise<TokenizerFiles> {
  const read = (file: string) => readJsonObject(join(directory, file));
  const settings = (await read("tokenizer_config.json")) ?? {};
  const className = settings.tokenizer_class;
  if (className !== undefined && className !== null && !CLASSES.includes(String(className)))
    throw new UserError(
      `${join(directory, "tokenizer_config.json")}: tokenizer_class must be Wav2Vec2CTCTokenizer or ${PHONEME_CLASS}, but is ` +
        `${className}. Name a model with one of these tokenizers.`,
    );
  // As transformers does: a configuration with added_tokens_decoder says everything itself.
  const complete = settings.added_tokens_decoder !== undefined;
  const special: JsonObject = complete
    ? settings
    : { ...settings, ...((await read("special_tokens_map.json")) ?? {}) };

  const vocabulary = await read("vocab.json");
  const name = join(directory, vocabulary === undefined ? "tokenizer.json" : "vocab.json");
  const pick = (entries: JsonObject) => pickLanguage(entries, name, choice.language, settings.target_lang);
  const parsed =
    vocabulary === undefined
      ? parseTokenizerJson((await read("tokenizer.json")) ?? missing(directory), name, special, pick)
      : {
          ...pick(vocabulary),
          added: complete
            ? addedTokensDecoder(settings)
            : Object.entries((await read("added_tokens.json")) ?? {}),
          roles: rolesOf(special, name),
        };
  const { tokens, added, nested } = parsed;
  const phonemes = className === PHONEME_CLASS;
  const roles = phonemes ? withoutDelimiter(parsed.roles, tokens) : parsed.roles;
  const own = new Set(tokens.keys());
  addTokens(tokens, added, nested, name);
  if (vocabulary !== undefined) addSpecial(tokens, roles);
  return {
    tokens: fit(byId(tokens, name), own, choice.size, name),
    roles,
    lowerCase: settings.do_lower_case === true,
    wordSeparator: text(settings.replace_word_delimiter_char) ?? " ",
    phonemes,
    name,
  };
}

/** As transformers does: a delimiter between words is no part of a text of phonemes. */
function withoutDelimiter(roles: TokenRoles, tokens: Tokens): TokenRoles {
  const { wordDelimiter, additionalSpecial = [] } = roles;
  const silent = typeof wordDelimiter === "string" && tokens.has(wordDelimiter) ? [wordDelimiter] : [];
  return { ...roles, wordDelimiter: null, additionalSpecial: [...additionalSpecial, ...silent] };
}

function missing(directory: string): never {
  throw new UserError(
    `${directory} must hold vocab.json or tokenizer.json, but holds neither. A model that was only ` +
      "pre-trained has to be fine-tuned first: finetune --model.",
  );
}

/** A JSON object from a file; undefined where there is no such file. */
function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

interface Picked {
  tokens: Tokens;
  /** Whether they are of one language among others. */
  nested: boolean;
}

/** The tokens of one language: multilingual models (MMS) hold an object a language. */
function pickLanguage(
  vocabulary: JsonObject,
  name: string,
  chosen: string | undefined,
  usual: unknown,
): Picked {
  const languages = Object.keys(vocabulary);
  const nested = languages.length > 0 && Object.values(vocabulary).every(isJsonObject);
  if (!nested) {
    if (chosen !== undefined)
      throw new UserError(`${name} must hold several languages to choose ${chosen}, but holds one.`);
    return { tokens: ids(vocabulary, name), nested };
  }
  const language = chosen ?? usual ?? (languages.length === 1 ? languages[0] : undefined);
  if (typeof language !== "string" || !Object.hasOwn(vocabulary, language))
    throw new UserError(
      `The language must be one of ${name}, but is ${language === undefined ? "not chosen" : JSON.stringify(language)}. ` +
        `Choose from ${languages.sort().join(", ")}.`,
    );
  return { tokens: ids(vocabulary[language] as JsonObject, `${name} (${language})`), nested };
}

function ids(entries: JsonObject, name: string): Tokens {
  return new Map(
    Object.entries(entries).map(([token, id]) => {
      if (typeof id === "number" && Number.isInteger(id) && id >= 0) return [token, id];
      throw new UserError(
        `ids in ${name} must be whole numbers from 0, but that of ${JSON.stringify(token)} is ${JSON.stringify(id)}.`,
      );
    }),
  );
}

/** `added_tokens_decoder`: an object from id to a token with its settings. */
function addedTokensDecoder(settings: JsonObject): [string, unknown][] {
  return Object.entries(settings.added_tokens_decoder ?? {}).map(([id, token]) => [
    content(token) ?? "",
    Number(id),
  ]);
}

/** A token's text: files hold it alone or in an object that says how it is matched in text. */
function content(token: unknown): string | undefined {
  return text(isJsonObject(token) ? token.content : token);
}

const ROLES = { pad: "pad_token", unk: "unk_token", wordDelimiter: "word_delimiter_token" } as const;
const ENDS = { bos: "bos_token", eos: "eos_token" } as const;

function rolesOf(special: JsonObject, name: string): TokenRoles {
  const roles: Record<string, string | null | string[]> = {};
  for (const [role, key] of Object.entries({ ...ROLES, ...ENDS })) {
    const value = special[key];
    if (value === undefined || (value === null && role === "pad")) continue;
    const token = value === null ? null : content(value);
    if (token === undefined)
      throw new UserError(`${key} beside ${name} must be a token or null, but is ${JSON.stringify(value)}.`);
    roles[role] = token;
  }
  const additional = special.additional_special_tokens ?? special.extra_special_tokens;
  if (Array.isArray(additional))
    roles.additionalSpecial = additional.flatMap((token) => content(token) ?? []);
  return roles;
}

/** Adds what was added to the tokenizer. A language of several keeps its own tokens where the two disagree. */
function addTokens(tokens: Tokens, added: [string, unknown][], nested: boolean, name: string): void {
  const taken = new Map([...tokens].map(([token, id]) => [id, token]));
  for (const [token, id] of ids(Object.fromEntries(added), `the tokens added to ${name}`)) {
    if (tokens.get(token) === id) continue;
    const other = taken.get(id) ?? (tokens.has(token) ? token : undefined);
    if (other === undefined) tokens.set(token, id);
    else if (!nested)
      throw new UserError(
        `${name} must fit the tokens added to it, but has ${JSON.stringify(other)} with id ${tokens.get(other)} ` +
          `where ${JSON.stringify(token)} with id ${id} was added.`,
      );
  }
}

/** transformers gives these ids behind all others where the vocabulary lacks them and no file says null. */
function addSpecial(tokens: Tokens, roles: TokenRoles): void {
  const usual = (role: string | null | undefined, ...names: [string, string?]) => {
    if (role !== undefined) return role;
    return names.some((name) => name !== undefined && tokens.has(name)) ? null : names[0];
  };
  const special = [
    usual(roles.bos, "<s>"),
    usual(roles.eos, "</s>"),
    usual(roles.unk, "<unk>", "[UNK]"),
    usual(roles.pad, "<pad>", "[PAD]"),
    ...(roles.additionalSpecial ?? []),
  ];
  for (const token of special) if (token !== null && !tokens.has(token)) tokens.set(token, tokens.size);
}

function byId(tokens: Tokens, name: string): string[] {
  const sorted: string[] = [];
  for (const [token, id] of tokens) {
    if (id >= tokens.size)
      throw new UserError(
        `ids in ${name} must be 0 to ${tokens.size - 1}, but that of ${JSON.stringify(token)} is ${id}.`,
      );
    if (sorted[id] !== undefined)
      throw new UserError(
        `ids in ${name} must be unique, but ${JSON.stringify(sorted[id])} and ${JSON.stringify(token)} share ${id}.`,
      );
    sorted[id] = token;
  }
  return sorted;
}

/** Leaves out added tokens that the head has no outputs for. */
function fit(tokens: string[], own: ReadonlySet<string>, size: number | undefined, name: string): string[] {
  if (size === undefined || tokens.length === size) return tokens;
  if (tokens.length > size && !tokens.slice(size).some((token) => own.has(token)))
    return tokens.slice(0, size);
  throw new UserError(
    `${name} must have ${size} tokens as config.json's vocab_size, but has ${tokens.length}.`,
  );
}

/** The vocabulary of a tokenizer.json, whose decoder must be CTC's: another would make other texts of the tokens. */
function parseTokenizerJson(
  json: JsonObject,
  name: string,
  special: JsonObject,
  pick: (entries: JsonObject) => Picked,
): Picked & { added: [string, unknown][]; roles: TokenRoles } {
  const { decoder, model } = json;
  const steps =
    isJsonObject(decoder) && Array.isArray(decoder.decoders) ? (decoder.decoders as unknown[]) : [decoder];
  const ctc = steps.filter(isJsonObject).find(({ type }) => type === "CTC");
  if (ctc === undefined)
    throw new UserError(
      `${name} must have a CTC decoder, but has ${isJsonObject(decoder) ? decoder.type : "none"}. Add vocab.json.`,
    );
  if (!isJsonObject(model) || !isJsonObject(model.vocab))
    throw new UserError(`${name} must have model.vocab, an object from token to id, but has not.`);
  const listed = Array.isArray(json.added_tokens)
    ? (json.added_tokens as unknown[]).filter(isJsonObject)
    : [];
  const known: JsonObject = {
    pad_token: ctc.pad_token,
    word_delimiter_token: ctc.word_delimiter_token,
    ...(text(model.unk_token) !== undefined && { unk_token: model.unk_token }),
    additional_special_tokens: listed.filter(
      (token) => token.special === true && token.content !== ctc.pad_token,
    ),
  };
  return {
    ...pick(model.vocab),
    added: listed.map((token) => [content(token) ?? "", token.id]),
    roles: rolesOf({ ...known, ...special }, name),
  };
}
