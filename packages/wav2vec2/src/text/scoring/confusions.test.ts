import { expect, it } from "vitest";
import { alignWords } from "./aligned-words.js";
import { countConfusions } from "./confusions.js";

it("counts what is heard for what, most frequent first", () => {
  const pairs = [
    ["THE CAT SAT", "THE HAT SAT"],
    ["THE CAT", "A HAT"],
    ["A DOG", "A"],
    ["A DOG RAN", "RAN"],
    ["IT", "OH IT"],
    ["B", "C"],
    ["", "OH"],
  ];
  expect(countConfusions(pairs.map(([a, b]) => alignWords(a!, b!)))).toEqual({
    substitutions: [
      { reference: "CAT", hypothesis: "HAT", count: 2 },
      { reference: "B", hypothesis: "C", count: 1 },
      { reference: "THE", hypothesis: "A", count: 1 },
    ],
    deletions: [
      { word: "DOG", count: 2 },
      { word: "A", count: 1 },
    ],
    insertions: [{ word: "OH", count: 2 }],
  });
});
