import { describe, expect, it } from "vitest";
import { Random } from "../../../data/random.js";
import { WordTableBuilder } from "./word-table.js";

describe("WordTable", () => {
  it("has each word under its number, whatever its letters", () => {
    const random = new Random(6, "word-table");
    const letters = ["a", "b", "'", "é", "本", "😀", "-"];
    const words = new Set<string>();
    while (words.size < 3000)
      words.add(
        Array.from(
          { length: 1 + Math.floor(7 * random.uniform()) },
          () => letters[Math.floor(letters.length * random.uniform())]!,
        ).join(""),
      );
    words.add("x".repeat(5000));
    const builder = new WordTableBuilder(words.size);
    for (const word of words) {
      const bytes = Buffer.from(`<${word}>`);
      expect(builder.add(bytes, 1, bytes.length - 1)).toBe(true);
      expect(builder.add(bytes, 1, bytes.length - 1)).toBe(false);
    }
    const table = builder.finish();
    expect(table.size).toBe(words.size);
    for (const [id, word] of [...words].entries()) {
      expect(table.find(word)).toBe(id);
      expect(table.word(id)).toBe(word);
    }
    for (const missing of ["", "z", "aé z", "x".repeat(4999), "本本本本本本本本"])
      expect(table.find(missing)).toBe(-1);
  });
});
