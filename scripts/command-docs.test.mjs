import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { commandNames, commandPages } from "./command-docs.mjs";

describe("commandNames", () => {
  it("reads the names of a help, not its wrapped descriptions", () => {
    const help =
      "Usage: x\n\nCommands:\n  doctor          what is\n                  missing\n  lm              models\n  help [command]  help\n";
    expect(commandNames(help)).toEqual(["doctor", "lm"]);
  });
});

describe("docs/commands*.md", () => {
  it("are what the program prints: npm run build && node scripts/command-docs.mjs writes them anew", async () => {
    for (const [file, text] of Object.entries(await commandPages()))
      expect(readFileSync(new URL(`../docs/${file}`, import.meta.url), "utf8"), file).toBe(text);
  });
});
