import { turn } from "#platform/turn";
import { joinedBytes } from "../../../audio/joined.js";
import { UserError } from "../../../errors.js";
import { tellNote } from "../../../files/tell-note.js";
import { notUtf8 } from "../../../files/text-encoding.js";
import { inTurns } from "../../../in-turns.js";
import type { KnownOptions } from "../../../known-options.js";
import { latin1 } from "../../../latin1.js";
import { type Automaton, BEGIN_WORD, END_WORD, LOG_ZERO } from "../automaton/automaton.js";
import { AutomatonBuilder } from "../automaton/automaton-builder.js";
import { readNumber } from "./arpa-number.js";

const [TAB, LINE_FEED, RETURN, SPACE, LESS, BACKSLASH] = [0x09, 0x0a, 0x0d, 0x20, 0x3c, 0x5c] as const;
/** UTF-8's, as bytes. */
const BYTE_ORDER_MARK = "\xef\xbb\xbf";
/** How many times as large gzip's contents may be as what is packed. */
export const MOST_PACKED = 1032;
/** Bytes of the shortest line of a unigram, and what each further word adds. */
const [SHORTEST_LINE, SHORTEST_WORD] = [4, 2];
/** Bytes that are read before the event loop has its turn: about a thousand n-grams. */
const BYTES_A_TURN = 1 << 15;
/** No line of a text is as long, so that what is read of another kind of file does not fill the memory. */
const LONGEST_LINE = 1 << 24;
const MOST_ORDERS = 32;

export interface ArpaOptions {
  /** Called now and then with the n-grams read until now and all. */
  onProgress?: ((done: number, total: number) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** Gets what is odd about the file; goes to stderr when left out. */
  onNote?: ((text: string) => void) | undefined;
}

export const ARPA_OPTIONS = {
  onProgress: true,
  signal: true,
  onNote: true,
} satisfies KnownOptions<ArpaOptions>;

/** A 1-gram as a line gives it. */
interface UnigramLine {
  line: number;
  logProbability: number;
  backoff: number;
}

/**
 * Reads an n-gram model in ARPA's format, as SRILM, KenLM, IRSTLM and others write it: fields by tabs
 * or spaces, back-offs where they are not 1, with a preamble or without, lines ended as on Unix or Windows.
 *
 * As in KenLM, a model without `<unk>` gives unknown words log10 P = -100, and each n-gram's context (all but its last
 * word) must be among the n-grams. Without its suffix (all but its first word) an n-gram may be; some pruned models are
 * so. `-inf` counts as -99, SRILM's logarithm of zero.
 *
 * `</s>` may come twice where one of both repeats `<s>`: a widespread recipe for using KenLM's files with transformers
 * adds such a line to models that have their `</s>` already. The copy is left out. KenLM takes whichever comes first.
 *
 * @param name the file's, for messages
 * @param mostBytes what it may hold
 * @throws UserError naming file and line where it is none, is damaged or does not fit its own counts
 */
export async function parseArpa(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  mostBytes: number,
  { onProgress, signal, onNote }: ArpaOptions = {},
): Promise<Automaton> {
  const parser = new ArpaParser(name, mostBytes, (text) => tellNote({ onNote }, text));
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += BYTES_A_TURN) {
      signal?.throwIfAborted();
      parser.push(chunk.subarray(at, at + BYTES_A_TURN));
      await turn();
    }
    onProgress?.(parser.done, parser.total);
  }
  return await parser.finish(signal);
}

type Section = "preamble" | "counts" | "between" | "n-grams" | "end";

class ArpaParser {
  done = 0;
  total = 0;
  readonly #path: string;
  readonly #mostBytes: number;
  readonly #onNote: (text: string) => void;
  #line = 0;
  #section: Section = "preamble";
  readonly #counts: number[] = [];
  #builder: AutomatonBuilder | undefined;
  /** Of the n-grams that are being read. */
  #order = 0;
  #found = 0;
  #words: number[] = [];
  /** The lines of `<s>` and `</s>`. */
  readonly #marks = new Map<string, UnigramLine>();
  /** Where the fields of a line begin and end, one after another. */
  readonly #fields: number[] = [];
  /** A line's bytes that came before its last ones. */
  #rest: Uint8Array = new Uint8Array(0);

  constructor(path: string, mostBytes: number, onNote: (text: string) => void) {
    this.#path = path;
    this.#mostBytes = mostBytes;
    this.#onNote = onNote;
  }

  push(chunk: Uint8Array): void {
    if (this.#isAtEnd()) return;
    const bytes = this.#rest.length > 0 ? joinedBytes([this.#rest, chunk]) : chunk;
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      this.#readLine(bytes, start, end);
      if (this.#isAtEnd()) return;
      start = end + 1;
    }
    this.#rest = bytes.subarray(start);
    if (this.#rest.length > LONGEST_LINE) throw this.#notArpa("has a line of more than 16 MB");
  }

  async finish(signal: AbortSignal | undefined): Promise<Automaton> {
    if (!this.#isAtEnd() && this.#rest.length > 0) this.#readLine(this.#rest, 0, this.#rest.length);
    this.#requireEnd();
    const built = await inTurns(this.#builder!.finish(), signal);
    if ("missing" in built)
      throw new UserError(
        `${this.#path} must have ${built.missing} among its 1-grams, but has not. Make the model with marks at the beginning and end of sentences.`,
      );
    return built;
  }

  #isAtEnd(): boolean {
    return this.#section === "end";
  }

  #requireEnd(): void {
    if (this.#isAtEnd()) return;
    if (this.#section === "preamble") throw this.#notArpa("has no line '\\data\\'");
    throw new UserError(
      `${this.#path} must end with a line '\\end\\', but ends at line ${this.#line} without it: it is cut. Fetch or make it again.`,
    );
  }

  #readLine(bytes: Uint8Array, lineStart: number, lineEnd: number): void {
    this.#line++;
    // Windows' editors begin a text with a mark of its encoding.
    const marked = this.#line === 1 && latin1(bytes.subarray(lineStart, lineStart + 3)) === BYTE_ORDER_MARK;
    const start = marked ? lineStart + 3 : lineStart;
    let end = lineEnd;
    while (end > start && isSpace(bytes[end - 1]!)) end--;
    if (end === start) {
      if (this.#section === "counts" && this.#counts.length > 0) this.#beginNgrams();
      return;
    }
    if (bytes[start] === BACKSLASH) {
      this.#readMark(textOf(bytes, start, end));
      return;
    }
    switch (this.#section) {
      case "preamble":
        if (bytes.subarray(start, end).includes(0)) throw this.#notArpa("is of another kind");
        return;
      case "counts":
        this.#readCount(textOf(bytes, start, end));
        return;
      case "between":
        throw this.#wrong(
          `this line must be '${this.#nextMark()}', but is ${quoted(textOf(bytes, start, end))}`,
        );
      default:
        this.#readNgram(bytes, start, end);
    }
  }

  #readMark(mark: string): void {
    if (mark === "\\data\\" && this.#section === "preamble") {
      this.#section = "counts";
      return;
    }
    if (this.#section === "preamble") return;
    if (this.#section === "counts") this.#beginNgrams();
    if (this.#section === "n-grams") this.#endSection();
    const expected = this.#nextMark();
    if (mark !== expected) throw this.#wrong(`this line must be '${expected}', but is ${quoted(mark)}`);
    this.#section = mark === "\\end\\" ? "end" : "n-grams";
    this.#order++;
    this.#found = 0;
    this.#words = new Array<number>(this.#order).fill(0);
  }

  /** What begins the next section. */
  #nextMark(): string {
    return this.#order === this.#counts.length ? "\\end\\" : `\\${this.#order + 1}-grams:`;
  }

  #readCount(text: string): void {
    const [, order, count] = /^ngram\s+(\d+)\s*=\s*(\d+)$/.exec(text) ?? [];
    const expected = this.#counts.length + 1;
    if (Number(order) !== expected || expected > MOST_ORDERS)
      throw this.#wrong(`this line must be 'ngram ${expected}=COUNT', but is ${quoted(text)}`);
    this.#counts.push(Number(count));
  }

  #beginNgrams(): void {
    const counts = this.#counts;
    if (counts.length === 0)
      throw this.#wrong("lines 'ngram N=COUNT' must come before this one, but there are none");
    this.total = counts.reduce((sum, count) => sum + count, 0);
    const least = counts.reduce((sum, count, n) => sum + count * (SHORTEST_LINE + n * SHORTEST_WORD), 0);
    if (!(least <= this.#mostBytes))
      throw new UserError(
        `${this.#path} must have the ${this.total.toLocaleString("en")} n-grams that its lines 'ngram N=COUNT' name, but is too short for them. Fetch or make it again.`,
      );
    try {
      this.#builder = new AutomatonBuilder(counts);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new UserError(
        `${this.#path} must fit in memory, but its ${this.total.toLocaleString("en")} n-grams do not. Use a pruned model.`,
        { cause: error },
      );
    }
    this.#section = "between";
  }

  #endSection(): void {
    const count = this.#counts[this.#order - 1]!;
    if (this.#found !== count)
      throw new UserError(
        `${this.#path}:${this.#line}: there must be ${count} ${this.#order}-grams as 'ngram ${this.#order}=${count}' says, but there are ${this.#found}. The file is damaged; fetch or make it again.`,
      );
    this.#section = "between";
  }

  #readNgram(bytes: Uint8Array, start: number, end: number): void {
    const order = this.#order;
    const fields = this.#split(bytes, start, end);
    if (fields !== order + 1 && fields !== order + 2)
      throw this.#wrong(
        `a line of ${order}-grams must have a probability, ${order === 1 ? "a word" : `${order} words`} and maybe a back-off, but is ${quoted(textOf(bytes, start, end))}`,
      );
    if (this.#found === this.#counts[order - 1])
      throw new UserError(
        `${this.#path}:${this.#line}: there must be ${this.#found} ${order}-grams as 'ngram ${order}=${this.#found}' says, but there are more. The file is damaged; fetch or make it again.`,
      );
    const logProbability = this.#number(bytes, 0);
    if (logProbability > 0)
      throw this.#wrong(`log10 of a probability must be at most 0, but is ${logProbability}`);
    const backoff = fields === order + 2 ? this.#number(bytes, order + 1) : 0;
    if (order === this.#counts.length && backoff !== 0 && order > 1)
      throw this.#wrong(`an n-gram of the highest order must have no back-off, but has ${backoff}`);
    this.#found++;
    this.done++;
    if (order === 1) this.#addUnigram(bytes, logProbability, backoff);
    else this.#addNgram(bytes, logProbability, backoff);
  }

  #addUnigram(bytes: Uint8Array, logProbability: number, backoff: number): void {
    const [start, end] = [this.#fields[2]!, this.#fields[3]!];
    const spelled = bytes.subarray(start, end);
    if (!isUtf8(spelled))
      throw new UserError(`${this.#path}:${this.#line}: a word ${notUtf8(this.#path, spelled)}`);
    const unigram = { line: this.#line, logProbability, backoff };
    const builder = this.#builder!;
    const isNew = builder.addUnigram(bytes, start, end, logProbability, backoff);
    const isMark = bytes[start] === LESS && end - start <= END_WORD.length;
    const word = isMark ? textOf(bytes, start, end) : undefined;
    if (word !== BEGIN_WORD && word !== END_WORD) {
      if (isNew) return;
      throw this.#wrong(`each word must come once, but ${quoted(textOf(bytes, start, end))} comes again`);
    }
    const before = this.#marks.get(word);
    if (!before) {
      this.#marks.set(word, unigram);
      return;
    }
    const begin = this.#marks.get(BEGIN_WORD);
    const isCopy = (one: UnigramLine) =>
      one.logProbability === begin?.logProbability && one.backoff === begin.backoff;
    if (word === BEGIN_WORD || isCopy(before) === isCopy(unigram))
      throw this.#wrong(
        `each word must come once, but ${quoted(word)} comes at line ${before.line} and again. Remove one of the two lines and ` +
          `write 'ngram 1=${this.#counts[0]! - 1}'`,
      );
    const [copy, own] = isCopy(before) ? [before, unigram] : [unigram, before];
    builder.setUnigram(END_WORD, own.logProbability, own.backoff);
    this.#onNote(
      `${this.#path} has </s> twice: line ${copy.line} repeats <s> and is left out, line ${own.line} counts.`,
    );
  }

  #addNgram(bytes: Uint8Array, logProbability: number, backoff: number): void {
    const { words } = this.#builder!;
    for (let i = 0; i < this.#order; i++) {
      const [start, end] = [this.#fields[2 * i + 2]!, this.#fields[2 * i + 3]!];
      const id = words.find(bytes, start, end);
      if (id < 0)
        throw this.#wrong(
          `the words of an n-gram must be among the 1-grams, but ${quoted(textOf(bytes, start, end))} is not`,
        );
      this.#words[i] = id;
    }
    const outcome = this.#builder!.addNgram(this.#order, this.#words, logProbability, backoff);
    if (outcome === "added") return;
    const [start, end] = [this.#fields[2]!, this.#fields[2 * this.#order + 1]!];
    if (outcome === "twice")
      throw this.#wrong(`each n-gram must come once, but ${quoted(textOf(bytes, start, end))} comes again`);
    const context = quoted(textOf(bytes, start, this.#fields[2 * this.#order - 1]));
    throw this.#wrong(
      `the context ${context} of an n-gram must be among the ${this.#order - 1}-grams, but is not. Prune the model so that contexts stay`,
    );
  }

  /** Finds the fields of bytes[start, end). @returns how many there are */
  #split(bytes: Uint8Array, start: number, end: number): number {
    const fields = this.#fields;
    let count = 0;
    for (let at = start; at < end; ) {
      while (isSpace(bytes[at]!)) at++;
      fields[2 * count] = at;
      while (at < end && !isSpace(bytes[at]!)) at++;
      fields[2 * count + 1] = at;
      count++;
      while (at < end && isSpace(bytes[at]!)) at++;
    }
    return count;
  }

  #number(bytes: Uint8Array, field: number): number {
    const [start, end] = [this.#fields[2 * field]!, this.#fields[2 * field + 1]!];
    const value = readNumber(bytes, start, end);
    if (value === -Infinity) return LOG_ZERO;
    if (Number.isFinite(Math.fround(value))) return value;
    throw this.#wrong(
      `a probability or back-off must be a number, but is ${quoted(textOf(bytes, start, end))}`,
    );
  }

  #wrong(fault: string): UserError {
    return new UserError(`${this.#path}:${this.#line}: ${fault}.`);
  }

  #notArpa(fault: string): UserError {
    return new UserError(
      `${this.#path} must be a language model in ARPA's format or a compiled one, but ${fault}.`,
    );
  }
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === RETURN;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)} ...` : text);
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strict = new TextDecoder("utf-8", { fatal: true });

function textOf(bytes: Uint8Array, start: number, end?: number): string {
  return decoder.decode(bytes.subarray(start, end));
}

function isUtf8(bytes: Uint8Array): boolean {
  if (bytes.every((byte) => byte < 128)) return true;
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
