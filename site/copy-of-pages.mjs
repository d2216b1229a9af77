// All pages and what they link to, in another folder, for tests to damage.
import { cpSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PARTS = [
  "docs",
  "examples",
  "configs",
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "benchmarks/results.md",
  "benchmarks/results-xeon.md",
];

/** @param {string} into a folder, which is made */
export function copyPages(into) {
  for (const part of PARTS) cpSync(join(ROOT, part), join(into, part), { recursive: true });
}
