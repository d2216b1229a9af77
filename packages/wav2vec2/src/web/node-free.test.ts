import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

// The rule: whatever `wav2vec2/web` loads runs without Node.js and without libtorch.

const PACKAGES = fileURLToPath(new URL("../../..", import.meta.url));
const SOURCE = join(PACKAGES, "wav2vec2/src");
/** What has no Node.js in it, of npm. */
const FOREIGN = [
  "@noble/hashes/legacy.js",
  "@noble/hashes/sha2.js",
  "@wasm-audio-decoders/ogg-vorbis",
  "mpg123-decoder",
  "opus-decoder",
];
/** Modules of the other package that are no part of the bridge. */
const OWN = /^@wav2vec2\/libtorch\/(nearest|state-name)$/;

/** What a module loads when it runs: no types. */
function importsOf(code: string): string[] {
  const statements = code.matchAll(/^(?:import|export)\s+(?!type\b)(?:([^;"]*?)\sfrom\s+)?"([^"]+)";/gm);
  const needed = [...statements].filter(([, names]) => !isOfTypes(names ?? ""));
  const later = code.matchAll(/(?<!typeof )\bimport\("([^"]+)"\)/g);
  return [...needed.map(([, , from]) => from!), ...[...later].map(([, from]) => from!)];
}

function isOfTypes(names: string): boolean {
  const [, inner] = /^\{([^}]*)\}$/s.exec(names.trim()) ?? [];
  return inner?.split(",").every((name) => /^\s*(type\s|$)/.test(name)) ?? false;
}

function fileOf(from: string, importer: string): string | undefined {
  if (from.startsWith(".")) return resolve(dirname(importer), from.replace(/\.js$/, ".ts"));
  if (from.startsWith("#platform/")) return join(SOURCE, "platform/web", `${from.slice(10)}.ts`);
  const [, name] = OWN.exec(from) ?? [];
  if (name === undefined) return undefined;
  return ["", "nn/"].map((room) => join(PACKAGES, `libtorch/src/${room}${name}.ts`)).find(existsSync);
}

/** Code without comments and texts, in which Node.js' globals may be named. */
function bare(code: string): string {
  return code.replace(/\/\*.*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/gs, '""');
}

/** Every module that is loaded, with what it may not load. */
function walk(entry: string): Map<string, string[]> {
  const seen = new Map<string, string[]>();
  const waiting = [entry];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue;
    const code = readFileSync(path, "utf8");
    const faults = [...bare(code).matchAll(/\b(Buffer|process|setImmediate|__dirname)\b[.(]/g)].map(
      ([, name]) => `uses ${name}`,
    );
    for (const from of importsOf(code)) {
      const file = fileOf(from, path);
      if (file !== undefined) waiting.push(file);
      else if (!FOREIGN.includes(from)) faults.push(`loads ${from}`);
    }
    seen.set(path, faults);
  }
  return seen;
}

it("what a page loads has nothing of Node.js or libtorch in it", () => {
  const modules = walk(join(SOURCE, "web/index.ts"));
  const wrong = [...modules].flatMap(([path, faults]) =>
    faults.map((fault) => `${relative(SOURCE, path)} ${fault}`),
  );
  expect(wrong).toEqual([]);
  const names = [...modules.keys()].map((path) => relative(SOURCE, path));
  for (const part of [
    "audio/flac/flac-decoder.ts",
    "text/decoding/prefix-beam.ts",
    "recognition/transcript/pieces.ts",
  ])
    expect(names).toContain(part);
});

it("sees what is of Node.js", () => {
  const wrong = [...walk(join(SOURCE, "recognition/recognizer.ts")).values()].flat();
  expect(wrong).toContain("loads @wav2vec2/libtorch");
  expect(wrong).toContain("loads node:fs");
  expect(wrong).toContain("uses Buffer");
});
