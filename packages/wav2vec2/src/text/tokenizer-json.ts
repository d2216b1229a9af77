import type { CtcTokenizer } from "./tokenizer.js";

/**
 * A regular expression that splits a text into tokens: at each place the longest of the long ones, else a character.
 * It reads the same in JavaScript with the flag `u` and in Oniguruma, which Hugging Face's tokenizers library uses.
 */
export function tokenPattern(longTokens: readonly string[]): string {
  const longestFirst = [...longTokens].sort((a, b) => [...b].length - [...a].length);
  return [...longestFirst.map((token) => token.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")), "[\\s\\S]"].join(
    "|",
  );
}

/**
 * The tokenizer in the format of Hugging Face's tokenizers library (https://huggingface.co/docs/tokenizers), which
 * transformers.js reads too. It encodes as `CtcTokenizer.encode` does, but takes a literal word delimiter for a space,
 * and decodes frames as `decode` does, but drops `<s>` and the like, where told to skip special tokens, before it
 * collapses repeats instead of after; its Rust and Python versions leave spaces at both ends.
 */
export function tokenizerJson({ vocabulary, lowerCase, wordSeparator }: CtcTokenizer): object {
  const { tokens, blankId, delimiterId, unknownId } = vocabulary;
  const isText = (id: number) => id !== blankId && !vocabulary.isSpecial(id);
  // The format can lower-case a text but not raise it: what `do_lower_case` does, seen from the other side.
  const lowered = (token: string, id: number) =>
    lowerCase && isText(id) && vocabulary.id(token.toLowerCase()) === undefined ? token.toLowerCase() : token;
  const texts = tokens.map(lowered);
  const delimiter = delimiterId === undefined ? undefined : texts[delimiterId]!;
  const longTokens = texts.filter((text, id) => isText(id) && [...text].length > 1);
  const unchanged = delimiter === undefined || delimiter === wordSeparator;
  const ctc = {
    type: "CTC",
    pad_token: tokens[blankId],
    word_delimiter_token: delimiter ?? "|",
    // Both libraries make a space of the delimiter if this is on, and only then.
    cleanup: !unchanged && wordSeparator === " ",
  };
  const replace = { type: "Replace", pattern: { String: delimiter }, content: wordSeparator };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    // The blank must not be among them: skipped before repeats are collapsed it would make HELO of HELLO.
    added_tokens: tokens.flatMap((content, id) =>
      vocabulary.isSpecial(id) ? specialToken(content, id) : [],
    ),
    normalizer: normalizer(lowerCase, delimiter),
    pre_tokenizer: {
      type: "Split",
      pattern: { Regex: tokenPattern(longTokens) },
      behavior: "Isolated",
      invert: false,
    },
    post_processor: null,
    decoder: unchanged || ctc.cleanup ? ctc : { type: "Sequence", decoders: [ctc, replace] },
    model: {
      type: "WordLevel",
      vocab: Object.fromEntries(texts.map((text, id) => [text, id])),
      unk_token: unknownId === undefined ? "<unk>" : tokens[unknownId],
    },
  };
}

function specialToken(content: string, id: number): object {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

function normalizer(lowerCase: boolean, delimiter: string | undefined): object | null {
  const steps = [
    ...(lowerCase ? [{ type: "Lowercase" }] : []),
    ...(delimiter === undefined || delimiter === " "
      ? []
      : [{ type: "Replace", pattern: { String: " " }, content: delimiter }]),
  ];
  if (steps.length > 1) return { type: "Sequence", normalizers: steps };
  return steps[0] ?? null;
}
