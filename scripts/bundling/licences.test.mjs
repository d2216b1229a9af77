import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { licencesOf, packageOf } from "./licences.mjs";

const root = mkdtempSync(join(tmpdir(), "licences-"));
afterEach(() => rmSync(join(root, "node_modules"), { recursive: true, force: true }));

/** @param {string} path @param {string} text */
function write(path, text) {
  const file = join(root, "node_modules", path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

test("notices of each package are told once, with those in folders, by name", () => {
  write("@b/two/package.json", '{ "name": "@b/two", "version": "2.0.0", "license": "MIT" }');
  write("@b/two/LICENSE.md", "two's terms\n");
  write("@b/two/NOTICE", "two's notice");
  write("@b/two/licenses/LICENSE-d3", "d3's terms");
  const nested = write("@b/two/node_modules/a/lib/x.js", "");
  write("@b/two/node_modules/a/package.json", '{ "name": "a", "version": "1.0.0", "license": "ISC" }');
  write("@b/two/node_modules/a/licence", "a's terms");
  const modules = [
    join(root, "node_modules/@b/two/lib/x.js"),
    join(root, "node_modules/@b/two/y.js"),
    nested,
  ];
  const texts = licencesOf([...modules, join(root, "own.js"), "\0runtime"]).split(`\n${"=".repeat(80)}\n\n`);
  expect(texts).toEqual([
    "@b/two 2.0.0 (MIT)\n\ntwo's terms\n\ntwo's notice\n\nd3's terms\n",
    "a 1.0.0 (ISC)\n\na's terms\n",
  ]);
  expect(packageOf(nested)?.name).toBe("a");
});

test("a package without the text of its licence is not bundled", () => {
  write("c/package.json", '{ "name": "c", "version": "1.0.0", "license": "MIT" }');
  expect(() => licencesOf([write("c/index.js", "")])).toThrow("c must come with its licence");
});
