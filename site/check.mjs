// What must hold of the documentation before a site is made of it, and what a test holds it to.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix, relative } from "node:path";
import { entriesOf, readContents } from "./contents.mjs";
import { anchors, links, prose, words } from "./markdown.mjs";

/** Ten minutes at 200 words a minute. */
export const LONGEST = 2000;

/** What is looked up and not read: the reference, what has changed, and tables of what was measured. */
const LOOKED_UP = /^(docs\/api\/|CHANGELOG\.md$|benchmarks\/results)/;

/** Pages outside docs/. */
const OTHERS = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "benchmarks/results.md",
  "benchmarks/results-xeon.md",
  "examples/README.md",
];

/** Of HTML. */
const TAGS = new Set(["a", "br", "img", "picture", "source"]);

/** Where the names of pages stand in code. */
const CODE = ["packages", "scripts", "benchmarks", "examples", "configs", "reference", "site"];
const CODE_FILES = /\.(ts|tsx|mjs|py|yaml|cpp|h)$/;
const NO_CODE = new Set(["node_modules", "dist", "dist-speech", "bundle", "build"]);

/**
 * @param {string} root of the repository
 * @returns {string[]} paths of all pages, from the root
 */
export function pagesOf(root) {
  const docs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" });
  const pages = docs.filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`);
  return [...OTHERS, ...pages.sort()];
}

/**
 * @param {string} root of the repository
 * @returns {string[]} sentences, none where all is well
 */
export function problemsOf(root) {
  const pages = pagesOf(root);
  const texts = new Map(pages.map((page) => [page, readFileSync(join(root, page), "utf8")]));
  return [
    ...linkProblems(root, texts),
    ...tagProblems(texts),
    ...contentsProblems(root, pages),
    ...lengthProblems(texts),
  ];
}

/**
 * @param {string} root
 * @param {Map<string, string>} texts
 */
function linkProblems(root, texts) {
  const problems = [];
  /** @type {Map<string, Set<string>>} */
  const known = new Map();
  for (const [page, text] of texts)
    for (const { target, isImage } of links(text)) {
      if (/^(https?|mailto):/.test(target)) continue;
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? page : posix.join(posix.dirname(page), decodeURI(path));
      const what = isImage ? "shows" : "links to";
      if (file.startsWith("..") || !existsSync(join(root, file))) {
        problems.push(`${page} ${what} ${target}, which does not exist.`);
        continue;
      }
      if (anchor === undefined) continue;
      if (!known.has(file)) known.set(file, anchors(readFileSync(join(root, file), "utf8")));
      if (!known.get(file)?.has(anchor))
        problems.push(`${page} links to ${target}, but ${file} has no such heading.`);
    }
  return problems;
}

/** What looks like a tag and is none is left out by code hosts, and an error to the site. @param {Map<string, string>} texts */
function tagProblems(texts) {
  const problems = [];
  for (const [page, text] of texts)
    for (const [tag, name = ""] of prose(text).matchAll(/(?<!\\)<\/?([a-zA-Z][\w-]*)[^\n>]*>/g))
      if (!TAGS.has(name) && !/^<https?:/.test(tag))
        problems.push(`${page} must have ${tag} in code or behind a backslash.`);
  return problems;
}

/**
 * @param {string} root
 * @param {string[]} pages
 */
function contentsProblems(root, pages) {
  const entries = entriesOf(readContents(root)).map(({ path }) => path);
  const wanted = pages.filter(
    (page) => !["README.md", "docs/README.md"].includes(page) && !isPartOfReference(page),
  );
  const missing = wanted.filter((page) => !entries.includes(page));
  const twice = entries.filter((page, place) => entries.indexOf(page) !== place);
  return [
    ...missing.map((page) => `docs/README.md must list ${page}, but does not.`),
    ...twice.map((page) => `docs/README.md must list ${page} once, but does so twice.`),
  ];
}

/** Those have a list of their own. @param {string} page */
const isPartOfReference = (page) => page.startsWith("docs/api/") && page !== "docs/api/README.md";

/** @param {Map<string, string>} texts */
function lengthProblems(texts) {
  const problems = [];
  for (const [page, text] of texts) {
    const count = words(text);
    if (count > LONGEST && !LOOKED_UP.test(page))
      problems.push(`${page} must have at most ${LONGEST} words, but has ${count}. Divide it by task.`);
  }
  return problems;
}

/**
 * @param {string} root of the repository
 * @returns {string[]} sentences about pages that code names and that are not there
 */
export function namesInCode(root) {
  const problems = [];
  for (const file of CODE.flatMap((folder) => sources(join(root, folder)))) {
    const text = readFileSync(file, "utf8");
    for (const [name] of text.matchAll(/\bdocs\/[a-z0-9-]+\.md\b/g))
      if (!existsSync(join(root, name)))
        problems.push(`${relative(root, file)} names ${name}, which does not exist.`);
  }
  return problems;
}

/** @param {string} folder @returns {string[]} */
function sources(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) return NO_CODE.has(entry.name) ? [] : sources(path);
    return CODE_FILES.test(entry.name) && !entry.name.includes(".test.") ? [path] : [];
  });
}
