import type { LanguageModel } from "../../src/text/language-model/language-model.js";

/** A language model of an ARPA text, for tests: nothing is checked, everything is looked up by strings. */
export function arpaModel(arpa: string): LanguageModel {
  const ngrams = new Map<string, { logp: number; backoff: number }>();
  let order = 0;
  for (const line of arpa.split("\n")) {
    const section = /^\\(\d)-grams:$/u.exec(line);
    if (section) order = Number(section[1]);
    const [logp, words, backoff = "0"] = line.split("\t");
    if (words === undefined) continue;
    ngrams.set(words, { logp: Math.LN10 * Number(logp), backoff: Math.LN10 * Number(backoff) });
  }
  const words = ["<unk>", ...[...ngrams.keys()].filter((key) => !/ |^<.*>$/u.test(key)), "<s>", "</s>"];
  const ids = new Map(words.map((word, id) => [word, id]));
  const states: string[][] = [];
  const stateIds = new Map<string, number>();
  /** Of the longest end of a history that the model has. */
  const stateOf = (history: string[]): number => {
    let known = history.slice(-(order - 1));
    if (order === 1) known = [];
    while (known.length > 0 && !ngrams.has(known.join(" "))) known = known.slice(1);
    const key = known.join(" ");
    if (!stateIds.has(key)) {
      stateIds.set(key, states.length);
      states.push(known);
    }
    return stateIds.get(key)!;
  };
  const logp = (history: string[], word: string): number => {
    const found = ngrams.get([...history, word].join(" "));
    if (found) return found.logp;
    if (history.length === 0) return -100 * Math.LN10; // KenLM's, where there is no <unk>
    return (ngrams.get(history.join(" "))?.backoff ?? 0) + logp(history.slice(1), word);
  };
  return {
    order,
    words: () => words.slice(1, -2),
    wordId: (word) => ids.get(word) ?? 0,
    unknownWord: 0,
    begin: stateOf(["<s>"]),
    empty: stateOf([]),
    score: (state, word) => logp(states[state]!, words[word]!),
    next: (state, word) => stateOf([...states[state]!, words[word]!]),
    end: (state) => logp(states[state]!, "</s>"),
  };
}

/** Of the letters a and b, to the third order. */
export const TINY_MODEL: LanguageModel = arpaModel(
  [
    "\\1-grams:",
    "-1.2\t<unk>",
    "-9\t<s>\t-0.3",
    "-0.9\t</s>",
    "-0.5\ta\t-0.2",
    "-0.8\tab\t-0.4",
    "-1.1\tbb\t-0.1",
    "",
    "\\2-grams:",
    "-0.3\t<s> ab\t-0.2",
    "-0.2\ta bb\t-0.1",
    "-0.7\tbb </s>",
    "",
    "\\3-grams:",
    "-0.1\t<s> ab a",
    "-0.4\ta bb a",
    "",
  ].join("\n"),
);
