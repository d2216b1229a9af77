import { describe, expect, it } from "vitest";
import { Random } from "../../../data/random.js";
import { selectLargest } from "../select-largest.js";
import { CharacterTrie } from "./character-trie.js";

describe("CharacterTrie", () => {
  it("knows every beginning, every word's value and nothing else", () => {
    const random = new Random(1, "trie");
    const text = () => Array.from({ length: random.integer(5) }, () => "abß𝄞"[random.integer(5)]).join("");
    for (let trial = 0; trial < 10; trial++) {
      const words = new Map(Array.from({ length: random.integer(40) }, (_, i) => [text(), i]));
      words.delete("");
      const trie = new CharacterTrie(words);
      for (let i = 0; i < 200; i++) {
        const query = text();
        const node = trie.walk(CharacterTrie.ROOT, query);
        expect(node >= 0).toBe(query === "" || [...words.keys()].some((word) => word.startsWith(query)));
        if (node >= 0) expect(trie.values[node]).toBe(words.get(query) ?? -1);
        if (node > 0) expect(trie.walk(trie.parents[node]!, query.at(-1)!)).toBe(node);
      }
      expect(trie.walk(-1, "a")).toBe(-1);
    }
  });
});

describe("selectLargest", () => {
  it("brings the largest to the front", () => {
    const random = new Random(2, "select");
    for (let trial = 0; trial < 100; trial++) {
      const length = 1 + random.integer(60);
      const count = 1 + random.integer(length);
      const different = 1 + random.integer(20);
      const scores = Float64Array.from({ length: 80 }, () => random.integer(different));
      const order = Int32Array.from(random.shuffle(Array.from({ length: 80 }, (_, i) => i)));
      const before = [...order];
      selectLargest(order, length, scores, count);
      expect([...order.subarray(length)]).toEqual(before.slice(length));
      const sorted = (places: Iterable<number>) =>
        [...places].map((place) => scores[place]!).sort((a, b) => b - a);
      expect(sorted(order.subarray(0, length))).toEqual(sorted(before.slice(0, length)));
      expect(sorted(order.subarray(0, count))).toEqual(sorted(before.slice(0, length)).slice(0, count));
    }
  });
});
