// Compiles the kernels, packages/wav2vec2/kernels/*.ts (AssemblyScript), into modules that hold them as base64:
//   node scripts/kernels.mjs
// Run it after a kernel was changed; a test compares them.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SOURCES = join(ROOT, "packages/wav2vec2/kernels");
const TARGETS = join(ROOT, "packages/wav2vec2/src/kernels");

export const kernels = readdirSync(SOURCES).map((file) => file.replace(/\.ts$/, ""));

/** @returns the generated module */
export async function generate(kernel) {
  const text = readFileSync(join(SOURCES, `${kernel}.ts`), "utf8");
  const { error, stderr, binary } = await asc.compileString(text, {
    runtime: "stub",
    enable: ["simd"],
    optimizeLevel: 3,
    noAssert: true,
    initialMemory: 8,
  });
  if (error) throw new Error(`${kernel}.ts could not be compiled: ${error.message}\n${stderr}`);
  const name = kernel.toUpperCase().replaceAll("-", "_");
  return (
    `// Made of packages/wav2vec2/kernels/${kernel}.ts by scripts/kernels.mjs; do not edit.\n` +
    `export const ${name} =\n  "${Buffer.from(binary).toString("base64")}";\n`
  );
}

export function target(kernel) {
  return join(TARGETS, `${kernel}.generated.ts`);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const kernel of kernels) writeFileSync(target(kernel), await generate(kernel));
