import { requireArguments, whole } from "../../argument-kinds.js";
import { UserError } from "../../errors.js";
import { atOnce, type Steps } from "../../in-turns.js";
import type { CtcTokenizer } from "../tokenizer.js";
import { TOKENIZER } from "../tokenizer-kind.js";
import {
  type DecodingOptions,
  type ResolvedDecodingOptions,
  resolveDecodingOptions,
} from "./decoding-options.js";
import { GreedySearch } from "./greedy-search.js";
import { LOGITS } from "./logits-kind.js";
import { PrefixBeam } from "./prefix-beam.js";
import type { Path, Search } from "./search.js";
import { languageModelFitInSteps, spelledHotwords } from "./words/language-model-fit.js";
import { WordScorer } from "./words/word-scorer.js";

/** What an utterance may be, with scores in nats. */
export interface Hypothesis extends Path {
  text: string;
  /** Share of frames whose likeliest token is the blank; 0 where there are no frames. */
  blankShare: number;
}

/** What a decoder is made of. */
class Prepared {
  constructor(
    readonly options: ResolvedDecodingOptions,
    readonly scorer: WordScorer | undefined,
  ) {}
}

function* prepare(tokenizer: CtcTokenizer, given: DecodingOptions): Steps<Prepared> {
  requireArguments("new CtcDecoder", { tokenizer: [tokenizer, TOKENIZER] });
  const options = resolveDecodingOptions(given);
  const { languageModel } = options;
  const hotwords = yield* spelledHotwords(tokenizer, options.hotwords);
  if (languageModel) {
    const { words, spelled, problem } = yield* languageModelFitInSteps(tokenizer, languageModel);
    if (words > 0 && spelled === 0) throw new UserError(problem!, { code: "ERR_LANGUAGE_MODEL" });
  }
  const scoresWords = languageModel !== undefined || hotwords.length > 0;
  return new Prepared(
    options,
    scoresWords ? yield* WordScorer.inSteps(tokenizer, { ...options, hotwords }) : undefined,
  );
}

/** Emissions to text: the likeliest token of each frame, or a prefix beam search with what is known of words. */
export class CtcDecoder {
  readonly options: ResolvedDecodingOptions;
  readonly #scorer: WordScorer | undefined;

  /**
   * Goes through the language model's words once: make one decoder for many utterances.
   *
   * @throws ConfigurationError where an option is out of range or a hotword cannot be spelled with the vocabulary; UserError
   * where none of the language model's words can be
   */
  constructor(tokenizer: CtcTokenizer, options?: DecodingOptions);
  /** @internal */
  constructor(tokenizer: CtcTokenizer, prepared: Prepared);
  constructor(
    readonly tokenizer: CtcTokenizer,
    options: DecodingOptions | Prepared = {},
  ) {
    const prepared = options instanceof Prepared ? options : atOnce(prepare(tokenizer, options));
    this.options = prepared.options;
    this.#scorer = prepared.scorer;
  }

  /**
   * The same in steps of some milliseconds.
   *
   * @internal
   */
  static *inSteps(tokenizer: CtcTokenizer, options: DecodingOptions): Steps<CtcDecoder> {
    return new CtcDecoder(tokenizer, yield* prepare(tokenizer, options));
  }

  /**
   * The best text of one utterance.
   *
   * @param logits [frames * vocabulary], row by row; log-probabilities do as well
   * @throws UserError where the sizes do not fit or a frame holds other than finite numbers
   */
  decode(logits: Float32Array, frames: number): Hypothesis {
    return this.nBest(logits, frames, 1)[0]!;
  }

  /** The best texts, best first: at most `count`, and as many as the beam held; greedy decoding has one. */
  nBest(logits: Float32Array, frames: number, count: number): Hypothesis[] {
    requireArguments("nBest", {
      logits: [logits, LOGITS],
      frames: [frames, whole(0)],
      count: [count, whole(1)],
    });
    const search = this.#search(count > 1);
    search.push(logits, frames);
    return search.finish(count).map((path) => hypothesis(this.tokenizer, search, path));
  }

  /** For emissions that come bit by bit. */
  stream(): DecodingStream {
    return new DecodingStream(this.tokenizer, this.#search());
  }

  #search(several = false): Search {
    const { size, blankId, delimiterId } = this.tokenizer.vocabulary;
    if (this.options.beamWidth === 1 && !this.#scorer) return new GreedySearch(size, blankId);
    return new PrefixBeam({ size, blankId, delimiterId }, this.options, this.#scorer, several);
  }
}

/**
 * An utterance that is still going on. In pieces of any size it becomes exactly what it becomes in one.
 * What is in memory grows with the labels since the last cut, by some 6 MB an hour; emissions are not kept.
 */
export class DecodingStream {
  readonly #tokenizer: CtcTokenizer;
  readonly #search: Search;

  /** Made by {@link CtcDecoder.stream}. */
  constructor(tokenizer: CtcTokenizer, search: Search) {
    this.#tokenizer = tokenizer;
    this.#search = search;
  }

  /** @param logits [frames * vocabulary], row by row; log-probabilities do as well */
  push(logits: Float32Array, frames: number): void {
    requireArguments("push", { logits: [logits, LOGITS], frames: [frames, whole(0)] });
    this.#search.push(logits, frames);
  }

  /** The best so far, since the last cut. Its last word may be unfinished and is not in the scores. */
  partial(): Hypothesis {
    return hypothesis(this.#tokenizer, this.#search, this.#search.best());
  }

  /**
   * Settles for the best so far and goes on behind it, also within a word; the language model remembers the words
   * before. Labels of all pieces in a row are the labels of the whole: a word delimiter stands at the end of one piece
   * or at the beginning of the next, and where there is none the word goes on.
   */
  cut(): Hypothesis {
    const settled = this.partial();
    this.#search.cut();
    return settled;
  }

  /** The best where the utterance ends here, since the last cut. */
  finish(): Hypothesis {
    return hypothesis(this.#tokenizer, this.#search, this.#search.finish(1)[0]!);
  }
}

function hypothesis(tokenizer: CtcTokenizer, { blankShare }: Search, path: Path): Hypothesis {
  return { text: tokenizer.decode(path.labels, { groupTokens: false }), ...path, blankShare };
}
