// The site: VitePress over the pages that stage.mjs has written.

import { readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitepress";
import { entriesOf, readContents } from "../contents.mjs";
import { links, slug, title } from "../markdown.mjs";
import { sitePath } from "../stage.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const { DOCS_ROOT: root = ROOT, DOCS_PAGES: pages, DOCS_OUTPUT: output } = process.env;

/** @param {string} path of a file of the repository */
const address = (path) => `/${sitePath(path).replace(/(?:index)?\.md$/, "")}`;

/** The reference has a page for each part, which its own list names. */
function reference() {
  const list = "docs/api/README.md";
  return links(readFileSync(join(root, list), "utf8"))
    .map(({ target }) => posix.join(dirname(list), target))
    .map((path) => ({ text: title(readFileSync(join(root, path), "utf8")), link: address(path) }));
}

const parts = readContents(root);
const sidebar = parts.flatMap((part) =>
  part.groups.map((group) => ({
    text: group.title === "" ? part.title : group.title,
    collapsed: part.title !== "Guide",
    items: group.entries.map((entry) => ({
      text: entry.title,
      link: address(entry.path),
      ...(entry.path === "docs/api/README.md" && { collapsed: true, items: reference() }),
    })),
  })),
);

/** The first page of a part, marked while any page of it is open. @param {string} name */
function menu(name) {
  const pages = parts.filter((part) => part.title === name).flatMap((part) => entriesOf([part]));
  const addresses = pages.map(({ path }) => address(path).replace(/\/$/, ""));
  return {
    text: name,
    link: address(pages[0]?.path ?? "README.md"),
    activeMatch: `^(${addresses.join("|")})(/|\\.html|$)`,
  };
}

export default defineConfig({
  title: "wav2vec2",
  description: "wav2vec 2.0 speech recognition in TypeScript",
  lang: "en-GB",
  srcDir: pages,
  outDir: output,
  cacheDir: fileURLToPath(new URL("../node_modules/.cache/vitepress", import.meta.url)),
  lastUpdated: false,
  // Pages name servers that readers start on their own machines.
  ignoreDeadLinks: "localhostLinks",
  markdown: {
    // Anchors as code hosts make them.
    anchor: { slugify: slug },
    toc: { slugify: slug },
    headers: { slugify: slug },
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    // Indented code looks and scrolls as fenced code does.
    config(md) {
      const { fence } = md.renderer.rules;
      if (fence)
        md.renderer.rules.code_block = (tokens, place, ...rest) => {
          Object.assign(tokens[place] ?? {}, { info: "text", markup: "```" });
          return fence(tokens, place, ...rest);
        };
    },
    languageAlias: { jsonl: "json", console: "bash" },
  },
  themeConfig: {
    nav: [menu("Guide"), menu("Reference"), menu("Explanation"), { text: "All pages", link: "/contents" }],
    sidebar,
    outline: { level: [2, 3] },
    search: { provider: "local" },
    docFooter: { prev: "Before", next: "Next" },
    externalLinkIcon: true,
  },
});
