import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { LONGEST, namesInCode, pagesOf, problemsOf } from "./check.mjs";
import { copyPages } from "./copy-of-pages.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** A copy of all pages, to damage. */
function copyOfPages() {
  const root = mkdtempSync(join(tmpdir(), "pages-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  copyPages(root);
  return root;
}

/**
 * @param {string} root
 * @param {string} page
 * @param {(text: string) => string} change
 */
function edit(root, page, change) {
  const before = readFileSync(join(root, page), "utf8");
  const after = change(before);
  expect(after).not.toBe(before);
  writeFileSync(join(root, page), after);
}

describe("the documentation", () => {
  it("has links, pictures, contents and lengths that hold", () => {
    expect(problemsOf(ROOT)).toEqual([]);
  });

  it("has the pages that code names", () => {
    expect(namesInCode(ROOT)).toEqual([]);
  });

  it("lists every example", () => {
    const list = readFileSync(join(ROOT, "examples/README.md"), "utf8");
    const linked = Array.from(list.matchAll(/\]\(([^)]+\.mjs)\)/g), ([, name]) => name).sort();
    const there = readdirSync(join(ROOT, "examples")).filter((name) => name.endsWith(".mjs"));
    expect(linked).toEqual(there.sort());
  });
});

describe("problemsOf", () => {
  it.each([
    [
      "a page that is not there",
      "docs/data.md",
      "[x](nowhere.md)",
      "docs/data.md links to nowhere.md, which does not exist.",
    ],
    [
      "a heading that is not there",
      "docs/data.md",
      "[x](audio.md#no-such-heading)",
      "docs/data.md links to audio.md#no-such-heading, but docs/audio.md has no such heading.",
    ],
    [
      "a heading of its own that is not there",
      "docs/data.md",
      "[x](#nor-here)",
      "docs/data.md links to #nor-here, but docs/data.md has no such heading.",
    ],
    [
      "a picture that is not there",
      "README.md",
      "![x](docs/images/none.png)",
      "README.md shows docs/images/none.png, which does not exist.",
    ],
    [
      "a picture in a tag",
      "README.md",
      '<picture><source srcset="docs/images/none.svg"></picture>',
      "README.md shows docs/images/none.svg, which does not exist.",
    ],
    [
      "what looks like a tag",
      "docs/data.md",
      "adapter.<language>.bin",
      "docs/data.md must have <language> in code or behind a backslash.",
    ],
  ])("finds %s", (_, page, added, problem) => {
    const root = copyOfPages();
    edit(root, page, (text) => `${text}\n${added}\n`);
    expect(problemsOf(root)).toEqual([problem]);
  });

  it("finds nothing in code", () => {
    const root = copyOfPages();
    edit(root, "docs/data.md", (text) => `${text}\n\`<x> [a](b.md)\`\n\n\`\`\`md\n[a](b.md) <x>\n\`\`\`\n`);
    expect(problemsOf(root)).toEqual([]);
  });

  it("finds pages that the contents miss or have twice", () => {
    const root = copyOfPages();
    writeFileSync(join(root, "docs/new.md"), "# New\n");
    expect(problemsOf(root)).toEqual(["docs/README.md must list docs/new.md, but does not."]);
    edit(root, "docs/README.md", (text) => `${text}\n- [New](new.md): a\n- [New](new.md): b\n`);
    expect(problemsOf(root)).toEqual(["docs/README.md must list docs/new.md once, but does so twice."]);
  });

  it("finds pages that are too long", () => {
    const root = copyOfPages();
    edit(root, "docs/hub.md", (text) => `${text}\n${"word ".repeat(LONGEST)}\n`);
    expect(problemsOf(root)).toEqual([
      expect.stringMatching(/^docs\/hub\.md must have at most 2000 words, but has 2\d\d\d\./),
    ]);
  });
});

describe("pagesOf", () => {
  it("has the pages outside docs/ and those in its directories", () => {
    const pages = pagesOf(ROOT);
    expect(pages).toEqual(
      expect.arrayContaining(["README.md", "docs/api/wav2vec2/audio.md", "examples/README.md"]),
    );
    expect(new Set(pages).size).toBe(pages.length);
  });
});
