// Writes docs/commands*.md: what each command of the program prints for --help. Run after changing a command:
//   npm run build && node scripts/command-docs.mjs
import { execFile } from "node:child_process";
import { realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PROGRAM = join(ROOT, "packages/wav2vec2/bin/wav2vec2.js");
const run = promisify(execFile);

/** The first page has the list of all commands. @type {{ file: string, title: string, intro: string, commands: string[] }[]} */
const PAGES = [
  {
    file: "commands.md",
    title: "Commands",
    intro: "What `npx wav2vec2 --help` prints, and what each command does:",
    commands: ["doctor", "setup", "data download", "data unpack", "data check", "data stats"],
  },
  {
    file: "commands-training.md",
    title: "Commands: training and evaluation",
    intro:
      "What trains, what shows it, and what tells how good a model is. The keys of recipes are options too: [recipes.md](recipes.md).",
    commands: ["pretrain", "finetune", "bench", "launch", "dashboard", "report", "evaluate", "compare"],
  },
  {
    file: "commands-recognition.md",
    title: "Commands: recognition",
    intro: "What takes recordings and a trained model.",
    commands: ["transcribe", "align", "classify", "codes"],
  },
  {
    file: "commands-deployment.md",
    title: "Commands: servers, pages, language models",
    intro: "What hands a model on, and what makes language models.",
    commands: ["serve", "export", "page", "lm build", "lm compile", "lm info", "lm perplexity", "lm tune"],
  },
];

/** Where the options of recipe keys begin, which docs/recipes.md tells. */
const KEYS = /\nRecipe keys:\n[\s\S]*$/;

/** @param {string[]} words of the command line */
async function help(words) {
  const { stdout } = await run(process.execPath, [PROGRAM, ...words, "--help"], { cwd: ROOT });
  return stdout.replace(KEYS, "\nRecipe keys: docs/recipes.md\n").trimEnd();
}

/** @param {string} program the help of the whole program */
export function commandNames(program) {
  const [, list = ""] = program.split("\nCommands:\n");
  return Array.from(list.matchAll(/^ {2}([a-z]\S*)/gm), ([, name]) => name).filter((name) => name !== "help");
}

/**
 * @returns {Promise<Record<string, string>>} pages by their file's name
 * @throws {Error} where a command stands on no page
 */
export async function commandPages() {
  const program = await help([]);
  const groups = ["data", "lm"];
  const described = PAGES.flatMap(({ commands }) => commands);
  for (const name of commandNames(program)) {
    const own = groups.includes(name)
      ? commandNames(await help([name])).map((sub) => `${name} ${sub}`)
      : [name];
    for (const command of own)
      if (!described.includes(command))
        throw new Error(`Each command must be on a page of ${import.meta.url}, but '${command}' is not.`);
  }
  const link = (/** @type {string} */ command) => {
    const { file } = PAGES.find(({ commands }) => commands.includes(command)) ?? PAGES[0];
    return `[\`${command}\`](${file === PAGES[0].file ? "" : file}#${command.replaceAll(" ", "-")})`;
  };
  const pages = PAGES.map(async ({ file, title, intro, commands }) => {
    const first = file === PAGES[0].file;
    const overview = first ? `\n\`\`\`text\n${program}\n\`\`\`\n\n${described.map(link).join(" · ")}\n` : "";
    const sections = commands.map(
      async (command) => `## ${command}\n\n\`\`\`text\n${await help(command.split(" "))}\n\`\`\`\n`,
    );
    const text = `<!-- Written by scripts/command-docs.mjs from the program's own help. -->\n# ${title}\n\n${intro}\n${overview}\n`;
    return [file, text + (await Promise.all(sections)).join("\n")];
  });
  return Object.fromEntries(await Promise.all(pages));
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  for (const [file, text] of Object.entries(await commandPages()))
    writeFileSync(join(ROOT, "docs", file), text);
