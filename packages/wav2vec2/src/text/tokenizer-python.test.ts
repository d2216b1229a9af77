import { execFile } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../test/fixtures/temporary-directory.js";
import { Random } from "../data/random.js";
import { CtcTokenizer, type TokenizerOptions } from "./tokenizer.js";
import { type TokenRoles, Vocabulary } from "./vocabulary.js";

// What is written here reads the same in Hugging Face's tokenizers and transformers, without a warning. Needs a Python
// with reference/requirements.txt, named by TRANSFORMERS_PYTHON; reference/check_tokenizers.py is its side.

const python = process.env.TRANSFORMERS_PYTHON;
const SCRIPT = new URL("../../../../reference/check_tokenizers.py", import.meta.url).pathname;

const facebook = ["<pad>", "<s>", "</s>", "<unk>", "|", ..."ETAONIHSRDLUMWCFGYPBVK'XJQZ"];
const TOKENIZERS: [string, string[], TokenRoles?, TokenizerOptions?][] = [
  ["Facebook's", facebook],
  ["special tokens last", ["|", ..."abcäß'.?-0123", "[UNK]", "[PAD]"]],
  ["special tokens last, <s> too", ["|", ..."abc' n", "[UNK]", "[PAD]", "<s>", "</s>"]],
  ["lower case", facebook, {}, { lowerCase: true }],
  ["no delimiter", ["<pad>", "<unk>", ..."你好世界"]],
  ["no unknown token", ["<pad>", "|", ..."abc"], { unk: null }],
  [
    "unusual names",
    ["#", "_", ..."ab", "?", "begin", "<x>"],
    { pad: "#", wordDelimiter: "_", unk: "?", bos: "begin" },
  ],
  ["space as delimiter", ["<pad>", "<unk>", " ", ..."ab's"], { wordDelimiter: " " }],
  ["no space between words", ["<pad>", "<unk>", "|", ..."ab"], {}, { wordSeparator: "-" }],
  ["several characters", ["<pad>", "<unk>", "|", ..."asch", "ch", "sch", "a+", "[b]"]],
];

const ROUNDS = 200;

function sequences(tokenizer: CtcTokenizer, random: Random): { decodes: unknown[]; encodes: unknown[] } {
  const { vocabulary } = tokenizer;
  const text = [...vocabulary.tokens.keys()].filter((id) => !vocabulary.isSpecial(id));
  const often = [
    ...text,
    ...Array.from(text, (_, i) => (i % 2 ? vocabulary.blankId : (vocabulary.delimiterId ?? 0))),
  ];
  const ids = () =>
    Array.from({ length: 1 + random.integer(40) }, () => often[random.integer(often.length)]!);
  const single = text
    .filter((id) => id !== vocabulary.blankId && id !== vocabulary.delimiterId)
    .map((id) => vocabulary.tokens[id]!);
  const letters = vocabulary.unknownId === undefined ? single : [...single, "Ж", "😀"];
  const long = single.some((token) => [...token].length > 1);
  const sentence = () => {
    const words = Array.from({ length: 1 + random.integer(4) }, () =>
      Array.from({ length: 1 + random.integer(6) }, () => letters[random.integer(letters.length)]).join(""),
    );
    // transformers takes the spaces from around a token of several characters
    return words.join(long ? "" : " ");
  };
  return {
    decodes: Array.from({ length: ROUNDS }, ids).map((frames) => [
      frames,
      tokenizer.decode(frames, { groupTokens: true }),
    ]),
    encodes: Array.from({ length: ROUNDS }, sentence).map((words) => [
      words,
      [...tokenizer.encode(words, { unknown: "token" })],
    ]),
  };
}

describe.skipIf(!python)("in Python (TRANSFORMERS_PYTHON names one)", () => {
  it(`${TOKENIZERS.length} tokenizers read ${ROUNDS} texts and sequences as here`, {
    timeout: 120_000,
  }, async () => {
    const root = await temporaryDirectory("tokenizers");
    const cases = [];
    for (const [name, tokens, roles, options] of TOKENIZERS) {
      const tokenizer = new CtcTokenizer(new Vocabulary(tokens, roles), options);
      const directory = await mkdtemp(join(root, "model-"));
      await tokenizer.write(directory);
      const { delimiterId, size } = tokenizer.vocabulary;
      await writeFile(join(directory, "config.json"), '{"model_type": "wav2vec2"}');
      await writeFile(
        join(directory, "preprocessor_config.json"),
        '{"feature_extractor_type": "Wav2Vec2FeatureExtractor"}',
      );
      const delimiter = delimiterId === undefined ? "|" : tokens[delimiterId];
      cases.push({ directory, delimiter, size, ...sequences(tokenizer, new Random(1, name)) });
    }
    const file = join(root, "cases.json");
    await writeFile(file, JSON.stringify(cases));
    const { stdout, stderr } = await promisify(execFile)(python!, [SCRIPT, file], { maxBuffer: 1e8 });
    expect(stdout).toBe("");
    expect(stderr).toBe("");
  });
});
