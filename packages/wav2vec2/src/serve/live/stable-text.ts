/**
 * What may be told of words that still change, where what was told cannot be taken back: words that were the same twice in a
 * row, behind which another one has begun.
 */
export class StableText {
  #told = "";
  #before = "";

  /** All that was told. */
  get told(): string {
    return this.#told;
  }

  /** @returns what is new, maybe nothing */
  partial(text: string): string {
    const same = commonWords(this.#before, text);
    this.#before = text;
    return this.#tell(same);
  }

  /** What is left of the settled text; nothing where it went another way than what was told. */
  final(text: string): string {
    return this.#tell(text);
  }

  #tell(text: string): string {
    if (!text.startsWith(this.#told) || text.length <= this.#told.length) return "";
    const delta = text.slice(this.#told.length);
    this.#told = text;
    return delta;
  }
}

/** The words that both begin with, and behind which another one begins. */
function commonWords(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  if (a[length] === " " && b[length] === " ") return b.slice(0, length);
  return b.slice(0, Math.max(0, b.lastIndexOf(" ", length - 1)));
}
