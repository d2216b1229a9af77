// Writes docs/api/: the reference of both packages, made of the docstrings of what they export, one page a room.
//
//   node scripts/api-docs.mjs [DIR]     another place for the pages
//
// TypeDoc reads the sources with TypeScript 6, which is a dependency of scripts/api-docs alone: it does not know
// TypeScript 7 yet.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { anchors } from "../site/markdown.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUTPUT = join(ROOT, "docs/api");

/** Rooms of wav2vec2 in the order of an utterance's way, and what their pages are about. */
const ROOMS = {
  audio: "samples from files, streams and memory",
  data: "corpora, batches, augmentation, worker threads",
  model: "configuration and network",
  pretrained: "model directories in Hugging Face's layout",
  files: "models of the Hub",
  recognition: "from audio to transcripts, and where their words are",
  text: "tokenizer, decoding, language models, formats, scoring",
  evaluation: "what a model's results are worth",
  training: "recipes, the loop, fine-tuning, pre-training",
  tracking: "where a run reports to",
  distributed: "processes that train together",
  common: "errors, and what belongs to no part",
};

/** Parts of libtorch; the first is what its index exports by name. */
const PARTS = {
  tensors: "tensors, operators, autograd, random state, files of tensors, devices",
  nn: "modules and layers, under PyTorch's names",
  optim: "optimisers, clipping, loss scaling",
  distributed: "processes that exchange tensors",
};

/**
 * What an index exports, by the room that it comes from.
 *
 * @param {string} source text of an `index.ts` whose statements are all `export … from "./room/file.js"`
 * @returns {Map<string, { names: string, path: string }[]>} `names` as they stand in the statement, `path` from the index; what is
 * exported as a namespace has that one's name instead of a room
 */
export function exportsByRoom(source) {
  /** @type {Map<string, { names: string, path: string }[]>} */
  const rooms = new Map();
  for (const [, names = "", path = ""] of source.matchAll(/^export ([^;]*?) from "\.\/([^"]+)";/gms)) {
    const space = /^\* as (\w+)$/.exec(names)?.[1];
    const room = space ?? (path.includes("/") ? path.slice(0, path.indexOf("/")) : "common");
    rooms.set(room, [...(rooms.get(room) ?? []), { names: space ? "*" : names, path }]);
  }
  return rooms;
}

/**
 * Writes the reference as Markdown.
 *
 * @param {string} [output] directory for the pages, made anew
 * @returns {string[]} what TypeDoc warns of, such as a type that an exported function takes and nobody can name
 */
export function writeApiDocs(output = OUTPUT) {
  const work = mkdtempSync(join(tmpdir(), "api-docs-"));
  const pages = join(work, "pages");
  try {
    const warnings = [
      ...runTypedoc(
        work,
        join(pages, "libtorch"),
        entries(join(work, "libtorch"), "libtorch", PARTS, "tensors"),
      ),
      ...runTypedoc(
        work,
        join(pages, "wav2vec2"),
        entries(join(work, "wav2vec2"), "wav2vec2", ROOMS, "common"),
      ),
    ];
    for (const name of ["libtorch", "wav2vec2"]) rmSync(join(pages, name, "README.md")); // a list of the pages, without what they are
    for (const name of readdirSync(pages, { recursive: true, encoding: "utf8" })) mendPage(join(pages, name));
    writeFileSync(join(pages, "README.md"), contents(pages));
    rmSync(output, { recursive: true, force: true }); // not before the new ones are there
    cpSync(pages, output, { recursive: true });
    return warnings;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * Writes underscores behind letters as they are, so that a name can be searched for: they need no backslash there. And
 * lets links to the second of two headings, of which TypeDoc writes one only, lead to that one.
 *
 * @param {string} path of a page; others are left alone
 */
function mendPage(path) {
  if (!path.endsWith(".md")) return;
  const text = readFileSync(path, "utf8").replaceAll(/(?<=[A-Za-z0-9])\\_/g, "_");
  const there = anchors(text);
  const mended = text.replaceAll(/\]\(#([\w-]+)-\d+\)/g, (link, first) =>
    there.has(link.slice(3, -1)) || !there.has(first) ? link : `](#${first})`,
  );
  writeFileSync(path, mended);
}

/**
 * A file for each part, which exports what the package's index exports of it.
 *
 * @param {string} work
 * @param {string} name of the package
 * @param {Record<string, string>} parts
 * @param {string} rest the part of what comes from a room that is none
 */
function entries(work, name, parts, rest) {
  mkdirSync(work);
  const source = join(ROOT, "packages", name, "src");
  /** @type {Map<string, string[]>} */
  const lines = new Map();
  for (const [room, statements] of exportsByRoom(readFileSync(join(source, "index.ts"), "utf8"))) {
    const part = room in parts ? room : rest;
    const own = statements.map(({ names, path }) => `export ${names} from "${join(source, path)}";\n`);
    lines.set(part, [...(lines.get(part) ?? []), ...own]);
  }
  return [...lines].map(([part, text]) => {
    const entry = join(work, `${part}.ts`);
    writeFileSync(entry, text.join(""));
    return entry;
  });
}

/**
 * @param {string} work
 * @param {string} output
 * @param {string[]} entryPoints
 * @returns {string[]} its warnings
 */
function runTypedoc(work, output, entryPoints) {
  const require = createRequire(join(ROOT, "scripts/api-docs/package.json"));
  const tsconfig = join(work, "tsconfig.json");
  const compilerOptions = {
    composite: false,
    rootDir: "/",
    noEmit: true,
    typeRoots: [join(ROOT, "node_modules/@types")],
  };
  const base = { extends: join(ROOT, "tsconfig.base.json"), compilerOptions, files: entryPoints };
  writeFileSync(tsconfig, JSON.stringify(base));
  const options = join(work, "typedoc.json");
  const formats = ["parameters", "interfaceProperties", "classProperties", "typeDeclaration"];
  writeFileSync(
    options,
    JSON.stringify({
      entryPoints,
      tsconfig,
      plugin: [
        require.resolve("typedoc-plugin-markdown"),
        join(ROOT, "scripts/api-docs/parameter-names.mjs"),
      ],
      out: output,
      router: "module",
      readme: "none",
      disableSources: true,
      disableGit: true,
      name: "Reference",
      excludePrivate: true,
      excludeInternal: true,
      excludeExternals: true,
      hideBreadcrumbs: true,
      hidePageHeader: true,
      hideGroupHeadings: true,
      skipErrorChecking: true, // the type check does that
      logLevel: "Warn",
      tableColumnSettings: {
        hideInherited: true,
        hideOverrides: true,
        hideModifiers: true,
        hideSources: true,
      },
      ...Object.fromEntries(formats.map((part) => [`${part}Format`, "table"])),
    }),
  );
  const program = join(dirname(require.resolve("typedoc/package.json")), "bin/typedoc");
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, "--options", options], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`TypeDoc ended with ${status}:\n${stdout}${stderr}`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
  const plain = `${stdout}${stderr}`.replaceAll(/\u001b\[[\d;]*m/g, "");
  return plain.split("\n").filter((line) => line.startsWith("[warning]"));
}

/**
 * The page that leads to the others.
 *
 * @param {string} output
 */
function contents(output) {
  /** A part with namespaces in it is a directory. */
  const page = (/** @type {string} */ path) =>
    [`${path}.md`, `${path}/README.md`].find((name) => existsSync(join(output, name)));
  const table = (/** @type {string} */ name, /** @type {Record<string, string>} */ parts) =>
    Object.entries(parts)
      .flatMap(([part, about]) => {
        const file = page(`${name}/${part}`);
        return file === undefined ? [] : [`| [${part}](${file}) | ${about} |\n`];
      })
      .join("");
  return `# Reference

Made from the docstrings by \`node scripts/api-docs.mjs\`.

## wav2vec2

| part | |
| ---- | ---- |
${table("wav2vec2", ROOMS)}
## @wav2vec2/libtorch

| part | |
| ---- | ---- |
${table("libtorch", PARTS)}`;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const warnings = writeApiDocs(process.argv[2] && resolve(process.argv[2]));
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
}
