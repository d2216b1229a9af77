// What a Python package requires: the Requires-Dist lines of a wheel's METADATA.
// Format: https://packaging.python.org/en/latest/specifications/dependency-specifiers/
import { normalizeName } from "./versions.mjs";

/** @typedef {{ name: string, extras: string[], specifier: string, forExtra: string | undefined }} Requirement */

/**
 * Markers other than `extra` are left out of account: they tell apart systems and Python versions, and a wheel
 * that does not run here is not chosen later anyway.
 * @param {string} metadata
 * @returns {Requirement[]}
 */
export function parseRequirements(metadata) {
  const head = metadata.split(/\r?\n\r?\n/, 1)[0] ?? "";
  return [...head.matchAll(/^Requires-Dist:\s*(.+?)\s*$/gim)].flatMap(([, line = ""]) => {
    const [requirement = "", marker = ""] = line.split(";", 2);
    const match = /^([A-Za-z0-9._-]+)\s*(?:\[([^\]]*)\])?\s*\(?([^()]*)\)?\s*$/.exec(requirement.trim());
    if (match === null) return [];
    return [
      {
        name: normalizeName(match[1] ?? ""),
        extras: (match[2] ?? "")
          .split(",")
          .map((extra) => extra.trim())
          .filter((extra) => extra !== ""),
        specifier: match[3] ?? "",
        forExtra: /\bextra\s*==\s*['"]([^'"]+)['"]/.exec(marker)?.[1],
      },
    ];
  });
}
