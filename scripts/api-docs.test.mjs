import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { exportsByRoom, writeApiDocs } from "./api-docs.mjs";

const DOCS = fileURLToPath(new URL("../docs", import.meta.url));

/** @param {string} directory */
function pages(directory) {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".md"),
  );
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(directory, name), "utf8")]));
}

describe("exportsByRoom", () => {
  it("tells exports of rooms, of none, and namespaces apart", () => {
    const source =
      'export { a, type B } from "./audio/file.js";\nexport * from "./errors.js";\nexport * as nn from "./nn/index.js";\n';
    expect(Object.fromEntries(exportsByRoom(source))).toEqual({
      audio: [{ names: "{ a, type B }", path: "audio/file.js" }],
      common: [{ names: "*", path: "errors.js" }],
      nn: [{ names: "*", path: "nn/index.js" }],
    });
  });
});

describe("docs/api", () => {
  it("is what the docstrings say: node scripts/api-docs.mjs writes it anew", { timeout: 600_000 }, () => {
    const directory = mkdtempSync(join(tmpdir(), "api-docs-"));
    try {
      const warnings = writeApiDocs(join(directory, "api"));
      expect(pages(join(directory, "api"))).toEqual(pages(join(DOCS, "api")));
      expect(Object.values(pages(join(directory, "api"))).join()).not.toContain("__namedParameters");
      expect(warnings.filter((line) => line.includes("links to"))).toEqual([]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
