// The table of contents: docs/README.md, which people read on a code host and of which the site makes its sidebar.
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";

/**
 * @typedef {{ title: string, path: string, about: string }} Entry `path` from the root of the repository
 * @typedef {{ title: string, entries: Entry[] }} Group of one subject; without a title where a part is not divided
 * @typedef {{ title: string, groups: Group[] }} Part
 */

const ENTRY = /^- \[(.+?)\]\(([^)]+)\): (.+)$/;

/**
 * @param {string} root of the repository
 * @returns {Part[]}
 * @throws {Error} for a line that is no heading and no entry
 */
export function readContents(root) {
  /** @type {Part[]} */
  const parts = [];
  const [, ...sections] = readFileSync(join(root, "docs/README.md"), "utf8").split(/^## /m);
  for (const section of sections) {
    const [title = "", ...lines] = section.split("\n");
    const groups = [{ title: "", entries: /** @type {Entry[]} */ ([]) }];
    for (const line of lines.filter((text) => text.trim() !== "")) {
      const entry = ENTRY.exec(line);
      if (line.startsWith("### ")) groups.push({ title: line.slice(4), entries: [] });
      else if (entry) {
        const [, name = "", target = "", about = ""] = entry;
        groups.at(-1)?.entries.push({ title: name, path: posix.join("docs", target), about });
      } else
        throw new Error(
          `A line of docs/README.md must be "- [title](page): about", but is "${line}". Mend it.`,
        );
    }
    parts.push({ title, groups: groups.filter(({ entries }) => entries.length > 0) });
  }
  return parts;
}

/** @param {Part[]} parts */
export function entriesOf(parts) {
  return parts.flatMap(({ groups }) => groups.flatMap(({ entries }) => entries));
}
