import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { checkVersion, releasedChangelog, withVersion } from "./release.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

test("the next patch, minor and major versions are releases", () => {
  for (const version of ["1.2.4", "1.3.0", "2.0.0"]) checkVersion(version, "1.2.3");
  for (const version of ["1.2.3", "1.2.5", "1.4.0", "v1.3.0", ""])
    expect(() => checkVersion(version, "1.2.3")).toThrow("must be one of 1.2.4, 1.3.0, 2.0.0 after 1.2.3");
});

test("what was unreleased gets the version's heading", () => {
  const text = "# Changelog\n\n## Unreleased\n\n- new\n\n## 0.1.0 (2026-01-01)\n\n- old\n";
  expect(releasedChangelog(text, "0.2.0", "2026-02-01")).toBe(
    "# Changelog\n\n## Unreleased\n\n## 0.2.0 (2026-02-01)\n\n- new\n\n## 0.1.0 (2026-01-01)\n\n- old\n",
  );
  const nothing = "# Changelog\n\n## Unreleased\n\n## 0.1.0 (2026-01-01)\n\n- old\n";
  expect(() => releasedChangelog(nothing, "0.2.0", "2026-02-01")).toThrow("lists none");
});

test("packages name each other in the same version", () => {
  const text =
    '{ "name": "wav2vec2", "version": "0.1.0", "dependencies": { "@wav2vec2/libtorch": "0.1.0", "zod": "^4.6.0" } }';
  expect(withVersion(text, "0.2.0")).toBe(
    '{ "name": "wav2vec2", "version": "0.2.0", "dependencies": { "@wav2vec2/libtorch": "0.2.0", "zod": "^4.6.0" } }',
  );
});

test("a dry run says all and changes nothing", () => {
  const version = JSON.parse(readFileSync(`${ROOT}/packages/wav2vec2/package.json`, "utf8")).version;
  const next = version.replace(/\d+$/, (/** @type {string} */ patch) => String(Number(patch) + 1));
  const status = () => execFileSync("git", ["status", "--porcelain"], { cwd: ROOT, encoding: "utf8" });
  const before = status();
  const output = execFileSync(process.execPath, ["scripts/release.mjs", next, "--dry-run"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  expect(output).toContain(`would publish wav2vec2-${version}.tgz with provenance`);
  expect(output).toContain(`would commit and tag v${next}`);
  expect(status()).toBe(before);
});
