// The pages as the site has them: those of docs/ and what they link to, a page for each, under addresses of their own.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, extname, join, posix } from "node:path";
import { pagesOf } from "./check.mjs";
import { entriesOf, readContents } from "./contents.mjs";
import { changeLinks, links } from "./markdown.mjs";
import { openApiPage } from "./openapi-page.mjs";

/** Pages whose address is not their path. @type {Record<string, string>} */
const ADDRESSES = {
  "README.md": "index.md",
  "docs/README.md": "contents.md",
  "docs/openapi.json": "openapi.md",
  "CONTRIBUTING.md": "contributing.md",
  "CHANGELOG.md": "changes.md",
  "benchmarks/results.md": "speed.md",
  "benchmarks/results-xeon.md": "speed-on-a-xeon.md",
};

const PICTURE = /\.(svg|png)$/;
/** Languages of code by a file's ending, where they differ. @type {Record<string, string>} */
const LANGUAGES = { mjs: "js", yml: "yaml" };

/**
 * @param {string} path of a file from the root of the repository
 * @returns {string} where the site has it: a page, or a picture
 */
export function sitePath(path) {
  const known = ADDRESSES[path];
  if (known !== undefined) return known;
  if (posix.basename(path) === "README.md")
    return posix.join(posix.dirname(sitePath(posix.join(posix.dirname(path), "x.md"))), "index.md");
  const inside = path.startsWith("docs/") ? path.slice("docs/".length) : path;
  return inside.endsWith(".md") || PICTURE.test(inside) ? inside : `${inside.replace(/\.mjs$/, "")}.md`;
}

/** A link whose text is the name of a page's file, as people on a code host open it. */
const NAMED_BY_FILE = /\[(?:docs\/)?[\w-]+\.md\](?=\(([^()\s]+)\))/g;

/**
 * Writes the sources of the site.
 *
 * @param {string} root of the repository
 * @param {string} output an empty directory
 */
export function stage(root, output) {
  const titles = new Map(entriesOf(readContents(root)).map((entry) => [entry.path, entry.title]));
  const waiting = pagesOf(root);
  const done = new Set(waiting);
  for (const path of waiting) {
    const file = join(root, path);
    const place = join(output, sitePath(path));
    mkdirSync(dirname(place), { recursive: true });
    if (PICTURE.test(path)) {
      cpSync(file, place);
      continue;
    }
    const text = page(path, readFileSync(file, "utf8"));
    writeFileSync(place, path.endsWith(".md") ? moved(path, named(path, text, titles)) : text);
    if (!path.endsWith(".md")) continue;
    for (const { target } of links(text)) {
      const linked = linkedFile(path, target);
      if (linked === undefined || done.has(linked) || !existsSync(join(root, linked))) continue;
      done.add(linked);
      waiting.push(linked);
    }
  }
  mkdirSync(join(output, "public"), { recursive: true });
  cpSync(join(root, "docs/openapi.json"), join(output, "public/openapi.json"));
}

/**
 * @param {string} from the page with the link
 * @param {string} target
 * @returns {string | undefined} a file of the repository; undefined where it is none
 */
function linkedFile(from, target) {
  const [path = ""] = target.split("#");
  if (path === "" || /^[a-z]+:/.test(target)) return undefined;
  const file = posix.join(posix.dirname(from), path);
  return file.endsWith("/") || extname(file) === "" ? posix.join(file, "README.md") : file;
}

/**
 * Calls pages by their titles.
 *
 * @param {string} path
 * @param {string} text
 * @param {Map<string, string>} titles
 */
function named(path, text, titles) {
  return text.replaceAll(NAMED_BY_FILE, (link, target) => {
    const known = titles.get(linkedFile(path, target) ?? "");
    return known === undefined ? link : `[${known}]`;
  });
}

/** Gives the links of a page the addresses of the site. @param {string} path @param {string} text */
function moved(path, text) {
  const here = posix.dirname(sitePath(path));
  return changeLinks(text, (target) => {
    const file = linkedFile(path, target);
    if (file === undefined) return target;
    const [, anchor] = target.split("#");
    const address = posix.relative(here, sitePath(file));
    return `./${address}${anchor === undefined ? "" : `#${anchor}`}`;
  });
}

/** @param {string} path @param {string} text */
function page(path, text) {
  if (path === "docs/openapi.json") return openApiPage(JSON.parse(text));
  if (path.endsWith(".md")) {
    // The reference's pages are long: their outline has classes and functions alone.
    const outline = path.startsWith("docs/api/") ? "---\noutline: 2\n---\n\n" : "";
    return `${outline}${text.replaceAll(/^<!--[\s\S]*?-->\n/gm, "")}`;
  }
  const ending = extname(path).slice(1);
  return `# ${posix.basename(path)}\n\n\`\`\`\`${LANGUAGES[ending] ?? (ending || "text")}\n${text.trimEnd()}\n\`\`\`\`\n`;
}
