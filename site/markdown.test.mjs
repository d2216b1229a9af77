import { describe, expect, it } from "vitest";
import { anchors, changeLinks, links, slug, title, words } from "./markdown.mjs";

describe("slug", () => {
  // As GitHub writes them for these headings.
  it.each([
    ["Weights & Biases", "weights--biases"],
    ["Beside W&B's own client", "beside-wbs-own-client"],
    ["POST /v1/audio/transcriptions", "post-v1audiotranscriptions"],
    ["Wörter, 日本語", "wörter-日本語"],
    ["snake_case", "snake_case"],
  ])("%s", (heading, anchor) => expect(slug(heading)).toBe(anchor));
});

describe("anchors", () => {
  it("counts equal headings, takes ids of tags, and leaves code out", () => {
    const text =
      '# `A` b\n## Same\n## Same\n```sh\n# no heading\n```\n<a id="here"></a>\n## [link](x.md) \\<T\\>\n';
    expect([...anchors(text)]).toEqual(["a-b", "same", "same-1", "link-t", "here"]);
  });
});

describe("title", () => {
  it("is the first heading's text", () =>
    expect(title("<!-- x -->\n# The `a` page\n## b\n")).toBe("The a page"));
});

describe("links", () => {
  it("are those outside of code, with pictures", () => {
    const text =
      '[a](a.md#x) ![p](p.png) [`b]`](b.md)\n```md\n[c](c.md)\n```\n[![d](d.svg)](d.md)\n<img src="e.svg">';
    expect(links(text)).toEqual([
      { target: "a.md#x", isImage: false },
      { target: "p.png", isImage: true },
      { target: "b.md", isImage: false },
      { target: "d.svg", isImage: true },
      { target: "d.md", isImage: false },
      { target: "e.svg", isImage: true },
    ]);
  });
});

describe("changeLinks", () => {
  it("leaves code as it is", () => {
    const text = '[a](a.md) `[a](a.md)` [`b`](b.md)\n```md\n[a](a.md)\n```\n<source srcset="a.svg">';
    expect(changeLinks(text, (target) => `x/${target}`)).toBe(
      '[a](x/a.md) `[a](a.md)` [`b`](x/b.md)\n```md\n[a](a.md)\n```\n<source srcset="x/a.svg">',
    );
  });
});

describe("words", () => {
  it("are what has a letter or a digit", () => {
    expect(words("| a-b | - | 3 % |\n|---|---|---|\n[two words](page.md#anchor) <!-- no comment -->")).toBe(
      4,
    );
  });
});
