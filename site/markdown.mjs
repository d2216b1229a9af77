// What is read of a page of Markdown: headings, anchors, links, words. Blocks of code are no part of it unless said.

const BLOCK = /^(`{3,})[^\n]*\n[\s\S]*?^\1$/gm;
const IN_LINE = /(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g;
/** Either, for a text that is divided by it. */
const CODE = /(^`{3,}[^\n]*\n[\s\S]*?^`{3,}$|``(?!`)[\s\S]*?[^`]``(?!`)|`(?!`)[\s\S]*?[^`]`(?!`))/gm;

/** @param {string} text */
const withoutCode = (text) => text.replaceAll(BLOCK, "");

/** Without code in lines too. @param {string} text */
export const prose = (text) => withoutCode(text).replaceAll(IN_LINE, "");

/**
 * The anchor of a heading as code hosts make it, which the site makes too: links hold in both.
 *
 * @param {string} heading its text
 */
export function slug(heading) {
  const plain = heading.toLowerCase().trim();
  return plain.replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "").replaceAll(" ", "-");
}

/** @param {string} heading in Markdown */
const plainText = (heading) =>
  heading
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/\\(?=\W)/g, "")
    .replaceAll(/[`*]/g, "");

/**
 * @param {string} text of a page
 * @returns {string} its first heading
 */
export function title(text) {
  return plainText(/^# (.*)$/m.exec(withoutCode(text))?.[1] ?? "");
}

/**
 * @param {string} text of a page
 * @returns {Set<string>} what may stand behind # in a link to it
 */
export function anchors(text) {
  const prose = withoutCode(text);
  /** @type {Set<string>} */
  const found = new Set();
  for (const [, heading] of prose.matchAll(/^#{1,6} (.*)$/gm)) {
    const anchor = slug(plainText(heading));
    let name = anchor;
    for (let again = 1; found.has(name); again++) name = `${anchor}-${again}`;
    found.add(name);
  }
  for (const [, id] of prose.matchAll(/<a id="([^"]+)">/g)) found.add(id);
  return found;
}

/** Behind the text of a link or picture. */
const TARGET = /\]\(([^()\s]+)\)/g;
const TAG_TARGET = /(<(?:img|source)\b[^>]*\bsrc(?:set)?=")([^"]+)"/g;

/**
 * @param {string} text of a page
 * @returns {{ target: string, isImage: boolean }[]} where its links and pictures lead
 */
export function links(text) {
  const read = prose(text);
  const pictures = new Set(
    Array.from(read.matchAll(/!\[[^\]]*\]\(([^()\s]+)\)/g), ([, target = ""]) => target),
  );
  const found = Array.from(read.matchAll(TARGET), ([, target = ""]) => ({
    target,
    isImage: pictures.has(target),
  }));
  return [
    ...found,
    ...Array.from(read.matchAll(TAG_TARGET), ([, , target = ""]) => ({ target, isImage: true })),
  ];
}

/**
 * Gives each link and picture outside of code another target.
 *
 * @param {string} text of a page
 * @param {(target: string) => string} change
 */
export function changeLinks(text, change) {
  return text
    .split(CODE)
    .map((part) =>
      part.startsWith("`")
        ? part
        : part
            .replaceAll(TARGET, (_, target) => `](${change(target)})`)
            .replaceAll(TAG_TARGET, (_, before, target) => `${before}${change(target)}"`),
    )
    .join("");
}

/**
 * @param {string} text of a page, with its code
 * @returns {number} its words: what has a letter or a digit
 */
export function words(text) {
  const read = text.replaceAll(/<!--[\s\S]*?-->/g, "").replaceAll(/\]\([^)]*\)/g, "]");
  return read.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}
