import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../packages/libtorch/setup/fixtures.mjs";
import { packagesAreInstalled } from "./javascript.mjs";

/**
 * @param {Record<string, object>} wanted
 * @param {Record<string, object> | undefined} installed
 */
function makeTree(wanted, installed) {
  const root = temporaryFolder();
  writeFileSync(join(root, "package-lock.json"), JSON.stringify({ packages: { "": {}, ...wanted } }));
  mkdirSync(join(root, "node_modules"));
  if (installed !== undefined) {
    writeFileSync(join(root, "node_modules/.package-lock.json"), JSON.stringify({ packages: installed }));
  }
  return root;
}

const WANTED = {
  "packages/model": { version: "0.1.0" },
  "node_modules/model": { resolved: "packages/model", link: true },
  "node_modules/zod": { version: "4.6.0" },
  "node_modules/compiler-darwin": { version: "7.0.2", optional: true },
};

test("node_modules is compared with package-lock.json, package by package", () => {
  const { "node_modules/compiler-darwin": _, ...installed } = WANTED;
  expect(packagesAreInstalled(makeTree(WANTED, installed))).toBe(true);
  expect(packagesAreInstalled(makeTree(WANTED, undefined))).toBe(false);
  expect(
    packagesAreInstalled(makeTree(WANTED, { ...installed, "node_modules/zod": { version: "4.5.0" } })),
  ).toBe(false);
  expect(
    packagesAreInstalled(makeTree({ ...WANTED, "node_modules/yaml": { version: "2.9.0" } }, installed)),
  ).toBe(false);
});
