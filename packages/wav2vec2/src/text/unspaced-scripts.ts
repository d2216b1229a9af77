/** Letters of scripts that are written without spaces between words. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Yi}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}\p{Script=Javanese}\p{Script=Balinese}\p{Script=Tai_Tham}\p{Script=New_Tai_Lue}\p{Script=Tai_Le}\p{Script=Tai_Viet}]/u;
/** Of these, those that have no spaces between sentences either, with their punctuation. */
const NEVER_SPACED =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Yi}\u3001-\u303Fー\uFF01-\uFF0F\uFF1A-\uFF20\uFF3B-\uFF40\uFF5B-\uFF65]$/u;

/** Whether a text has letters of a script that is written without spaces between words, such as Japanese or Thai. */
export function hasUnspacedScript(text: string): boolean {
  return UNSPACED.test(text);
}

/**
 * Texts that follow one another as one: with a space between two, but for Chinese and Japanese, which have none. Empty ones
 * are left out.
 */
export function joinTexts(texts: readonly string[]): string {
  const parts = texts.filter(Boolean);
  return parts
    .map((text, index) => (index === 0 || areClose(parts[index - 1]!, text) ? text : ` ${text}`))
    .join("");
}

function areClose(before: string, behind: string): boolean {
  return NEVER_SPACED.test([...before].at(-1)!) && NEVER_SPACED.test([...behind][0]!);
}
