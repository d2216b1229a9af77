// The documentation as a site: a folder that any web server gives, or this one with --serve.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { packagesAreInstalled } from "../scripts/setup/javascript.mjs";
import { problemsOf } from "./check.mjs";
import { stage } from "./stage.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SITE = join(ROOT, "site");
const USAGE = `usage: npm run docs -- [--output DIR] [--base PATH] [--serve [--port N]]

Makes a site of docs/, README.md and what they link to, into site/dist.
  --output DIR  another folder
  --base PATH   where on its server the site will lie, such as /wav2vec2/ (default: /)
  --serve       shows it at http://localhost:4173
  --port N      another port
VitePress, which makes it, is installed into site/node_modules the first time.
`;

/** What a person can mend: printed without where in this program it was found. */
export class DocsError extends Error {}

/**
 * @param {string[]} command
 * @param {{ cwd?: string, env?: Record<string, string> }} [options]
 * @throws {DocsError} where it fails; what it said stands on the terminal
 */
async function run([program = "", ...args], { cwd = SITE, env = {} } = {}) {
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const code = await new Promise((done, failed) => {
    child.once("error", failed);
    child.once("close", (status, signal) => done(status ?? signal));
  });
  if (code !== 0)
    throw new DocsError(`${[program, ...args].join(" ")} must succeed, but ended with ${code}.`);
}

const VITEPRESS = [process.execPath, join(SITE, "node_modules/vitepress/bin/vitepress.js")];

/**
 * Builds the site.
 *
 * @param {{ root?: string, output?: string, base?: string }} [options] root: a repository with docs/ and the rest; base: the path
 * on the server
 * @throws {DocsError} for links that lead nowhere and the like, before anything is built
 */
export async function buildDocs({ root = ROOT, output = join(SITE, "dist"), base = "/" } = {}) {
  const problems = problemsOf(root);
  if (problems.length > 0) throw new DocsError(problems.join("\n"));
  if (!packagesAreInstalled(SITE))
    await run(["npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"]);
  mkdirSync(join(SITE, "build"), { recursive: true });
  const pages = mkdtempSync(join(SITE, "build/pages-")); // within site/, where VitePress's packages are found
  try {
    stage(root, pages);
    const env = { DOCS_ROOT: root, DOCS_PAGES: pages, DOCS_OUTPUT: output };
    await run([...VITEPRESS, "build", SITE, "--base", base], { env });
  } finally {
    rmSync(pages, { recursive: true, force: true });
  }
}

/** @param {string[]} args */
async function main(args) {
  const { values } = parseArgs({
    args,
    options: {
      output: { type: "string", default: join(SITE, "dist") },
      base: { type: "string", default: "/" },
      serve: { type: "boolean", default: false },
      port: { type: "string", default: "4173" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const output = resolve(values.output);
  await buildDocs({ output, base: values.base });
  const shown = relative(process.cwd(), output) || ".";
  process.stdout.write(`The site lies in ${shown}.\n`);
  if (values.serve)
    await run([...VITEPRESS, "preview", SITE, "--base", values.base, "--port", values.port], {
      env: { DOCS_OUTPUT: output },
    });
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    const isUsage = error instanceof TypeError && "code" in error;
    if (!(error instanceof DocsError) && !isUsage) throw error;
    process.stderr.write(`${error.message}\n${isUsage ? USAGE : ""}`);
    process.exitCode = isUsage ? 2 : 1;
  }
}
