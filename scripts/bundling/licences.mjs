// The licences of packages that a bundle holds: they want their notices to go wherever the code goes.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const NOTICES = /^(licen[cs]es?|copying|notice)\b/i;

/**
 * @param {string[]} modules paths of joined modules
 * @returns {string} name, version, licence and notices of each package among them; empty where there is none
 * @throws where a package has no text of its licence
 */
export function licencesOf(modules) {
  /** @type {Map<string, string>} */
  const texts = new Map();
  for (const folder of new Set(modules.flatMap((path) => packageOf(path)?.folder ?? []))) {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const notices = noticesIn(folder);
    if (typeof license !== "string" || notices.length === 0)
      throw new Error(
        `${name} must come with its licence to be bundled, but has none. List it in dependencies.`,
      );
    texts.set(`${name} ${version}`, [`${name} ${version} (${license})`, ...notices].join("\n\n"));
  }
  return [...texts]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, text]) => `${text}\n`)
    .join(`\n${"=".repeat(80)}\n\n`);
}

/**
 * @param {string} path of a module
 * @returns {{ name: string, folder: string } | undefined} the package that was installed with it, if one was
 */
export function packageOf(path) {
  const [folder, name] =
    /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)(?=\/)/.exec(path.replaceAll("\\", "/")) ?? [];
  return folder === undefined || name === undefined ? undefined : { name, folder };
}

/** @param {string} folder @returns {string[]} the texts that must go with its code */
function noticesIn(folder) {
  const files = (/** @type {string} */ path) =>
    statSync(path).isDirectory() ? readdirSync(path).map((name) => join(path, name)) : [path];
  return readdirSync(folder)
    .filter((name) => NOTICES.test(name))
    .sort()
    .flatMap((name) => files(join(folder, name)).sort())
    .map((path) => readFileSync(path, "utf8").trim());
}
