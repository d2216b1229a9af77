import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

// Every piece of code in the documentation and every example is strict TypeScript as it stands, without a cast. Those that
// name types in comments are checked as JavaScript with types. They see the packages as users do: their declarations in dist.

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const run = promisify(execFile);

/** What pieces take for granted because the text around them, or a piece before them, tells it. */
const GIVEN = `
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import type {
  collatePreTraining, CtcModel, Recipe, Recognizer, Wav2Vec2Config, Wav2Vec2ForCTC,
} from "wav2vec2";
declare global {
  const recipe: Recipe, config: Wav2Vec2Config, model: Wav2Vec2ForCTC, ctc: CtcModel, recognizer: Recognizer;
  const clips: Parameters<typeof collatePreTraining>[0];
  const request: IncomingMessage, microphone: Readable, signal: AbortSignal;
  const logits: Float32Array, samples: Float32Array, frames: number;
  const data: string, id: string, seed: number, epoch: number;
  // Of a page's, what example 20 uses.
  type PageElement = {
    hidden: boolean; disabled: boolean; textContent: string; files: (Blob & { name: string })[]; onchange: () => void;
  };
  const document: { baseURI: string; body: { innerHTML: string; children: PageElement[] } };
}`;

/** Pages whose first piece stands before each of the others. */
const WITH_COMMON_LINES = ["docs/experiments.md", "docs/own-training.md", "docs/transforms.md"];

/** Programs that read what this one exports, and are not installed here. */
const OTHERS = `
declare module "@huggingface/transformers" {
  const env: { localModelPath: string; allowRemoteModels: boolean };
  function pipeline(task: string, name: string, options: { dtype: string }): Promise<(samples: Float32Array) => Promise<{ text: string }>>;
}
declare module "sherpa-onnx-node" {
  const sherpa: { OfflineRecognizer: new (options: { modelConfig: object }) => object };
  export default sherpa;
}`;

const OPTIONS = {
  ...{ target: "ES2023", lib: ["ES2023", "ESNext.Disposable"], module: "NodeNext", types: ["node"] },
  ...{ strict: true, noEmit: true, skipLibCheck: true, allowJs: true, checkJs: true },
};

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "code-types-"));
  await symlink(join(ROOT, "node_modules"), join(directory, "node_modules"));
  await mkdir(join(directory, "code"));
  await writeFile(join(directory, "given.d.mts"), GIVEN);
  await writeFile(join(directory, "others.d.ts"), OTHERS);
  await writeFile(
    join(directory, "tsconfig.json"),
    JSON.stringify({ compilerOptions: OPTIONS, include: ["code", "given.d.mts", "others.d.ts"] }),
  );
});
afterAll(() => rm(directory, { recursive: true, force: true }));

interface Piece {
  name: string;
  code: string;
}

async function examples(): Promise<Piece[]> {
  const names = (await readdir(join(ROOT, "examples"))).filter((name) => name.endsWith(".mjs"));
  const pieces = names.map(async (name) => ({
    name: basename(name, ".mjs"),
    code: await readFile(join(ROOT, "examples", name), "utf8"),
  }));
  return await Promise.all(pieces);
}

async function blocks(): Promise<Piece[]> {
  const guides = (await readdir(join(ROOT, "docs"))).filter((name) => name.endsWith(".md"));
  const readMes = ["README.md", "packages/libtorch/README.md", "packages/wav2vec2/README.md"];
  const pages = [...guides.map((name) => `docs/${name}`), ...readMes];
  return (await Promise.all(pages.map(blocksOf))).flat();
}

async function blocksOf(page: string): Promise<Piece[]> {
  const text = await readFile(join(ROOT, page), "utf8");
  const found = Array.from(text.matchAll(/^```(?:js|ts)\n(.*?)^```/gms), ([, code]) => code!);
  const common = WITH_COMMON_LINES.includes(page) ? found.shift() : "";
  return found.map((code, place) => {
    const file = /^\/\/ (\S+)\.mjs\n/.exec(code)?.[1]; // a file of its own, which others import
    const name = file ?? `${page.replace(/\W/g, "-")}-${place + 1}`;
    return { name, code: file ? code : `${common}${code}export {};\n` };
  });
}

/** A comment `in TypeScript: call(` says how the same call stands there, with what types it needs. */
function inTypeScript(code: string): string {
  const said = /^\/\/ in TypeScript: (.*?)(\w+)(<.*>)\($/m.exec(code);
  return said ? code.replaceAll(`${said[2]}(`, (call) => `${said[2]}${said[3]}${call.at(-1)}`) : code;
}

it("holds in strict TypeScript", async () => {
  const pieces = [...(await examples()), ...(await blocks())];
  expect(pieces.length).toBeGreaterThan(50);
  for (const { name, code } of pieces) {
    const isTyped = /@(param|type) \{/.test(code);
    const path = join(directory, "code", `${name}.${isTyped ? "mjs" : "mts"}`);
    await writeFile(path, isTyped ? code : inTypeScript(code));
  }
  const compiler = join(ROOT, "node_modules/typescript/lib/tsc.js");
  const checked = await run(process.execPath, [compiler, "--pretty", "false"], { cwd: directory }).catch(
    ({ stdout }: { stdout: string }) => ({ stdout }),
  );
  expect(checked.stdout).toBe("");
});
