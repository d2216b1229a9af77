import { describe, expect, it } from "vitest";
import {
  PickleDict,
  PickleGlobal,
  type PickleRules,
  PickleTuple,
  type PickleValue,
  unpickle,
} from "./pickle.js";
import { TensorFileError } from "./tensor-source.js";

const RULES: PickleRules = {
  globals: new Map([
    ["m.pair", new PickleGlobal("m.pair", (args) => new PickleTuple(args))],
    ["m.constant", new PickleGlobal("m.constant")],
  ]),
  persistent: (id) => [id],
};
const read = (...parts: (string | number[])[]): PickleValue =>
  unpickle(Buffer.concat(parts.map((part) => Buffer.from(part as string, "latin1"))), "x.bin", RULES);

describe("values", () => {
  it.each<[string, PickleValue, ...(string | number[])[]]>([
    ["None", null, "N."],
    ["True", true, [0x88], "."],
    ["False", false, [0x89], "."],
    ["a byte", 200, "K", [200], "."],
    ["two bytes", 513, "M", [1, 2], "."],
    ["a negative number", -2, "J", [0xfe, 0xff, 0xff, 0xff], "."],
    ["a long 0", 0, [0x8a, 0], "."],
    ["a long", -(2 ** 40), [0x8a, 6, 0, 0, 0, 0, 0, 0xff], "."],
    ["a long beyond 2^53", 2n ** 62n, [0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 0x40], "."],
    ["a float", -1.5, "G", [0xbf, 0xf8, 0, 0, 0, 0, 0, 0], "."],
    ["text", "ö", "X", [2, 0, 0, 0, 0xc3, 0xb6], "."],
    ["short text", "ab", [0x8c, 2], "ab."],
    ["a list", [1, 2, 3], "](K", [1], "K", [2], "eK", [3], "a."],
    ["a tuple", new PickleTuple([1, 2, 3]), "K", [1], "K", [2], "K", [3], [0x87], "."],
    [
      "a dict",
      new PickleDict([
        ["a", 1],
        ["b", 2],
      ]),
      "}(",
      [0x8c, 1],
      "aK",
      [1],
      [0x8c, 1],
      "bK",
      [2],
      "u.",
    ],
    ["what is stored and recalled", new PickleTuple([7, 7]), "K", [7], "q", [3], "h", [3], [0x86], "."],
    ["a call", new PickleTuple([7]), "cm\npair\nK", [7], [0x85], "R."],
    [
      "a call by STACK_GLOBAL",
      new PickleTuple([7]),
      [0x8c, 1],
      "m",
      [0x8c, 4],
      "pair",
      [0x93],
      "K",
      [7],
      [0x85],
      "R.",
    ],
    ["a persistent id", ["id"], [0x8c, 2], "idQ."],
  ])("%s", (_, expected, ...pickle) => {
    expect(read([0x80, 4], ...pickle)).toEqual(expected);
  });

  it("a list may hold itself", () => {
    const list = read("]q", [0], "h", [0], "a.") as PickleValue[];
    expect(list[0]).toBe(list);
  });
});

describe("damage and what is not allowed", () => {
  it.each<[string, RegExp, ...(string | number[])[]]>([
    ["an empty pickle", /ends too early at byte 0/],
    ["no STOP", /ends too early/, "N"],
    ["a STOP without value", /takes a value that is not there/, "."],
    ["values left over", /leaves values over/, "NN."],
    ["a mark left over", /leaves values over/, "N(N."],
    ["text longer than the pickle", /ends too early/, "X", [0xff, 0xff, 0xff, 0xff], "a."],
    ["text that is not UTF-8", /not UTF-8/, [0x8c, 1, 0xff], "."],
    ["a pop below the mark", /takes a value that is not there/, "N(", [0x85], "."],
    ["a tuple without mark", /takes a mark that is not there/, "t."],
    ["a value never stored", /recalls a value that was never stored/, "h", [1], "."],
    ["items of no dict", /sets items of no dict/, "](NNu."],
    ["a key without value", /sets items of no dict/, "}(Nu."],
    ["an append to no list", /appends to no list/, "}Na."],
    ["a long of 255 bytes", /more than 8 bytes/, [0x8a, 255], "."],
    ["a newer protocol", /is of protocol 6/, [0x80, 6], "N."],
    ["a name without end", /ends too early/, "cm"],
    ["a name that is no text", /a name that is no text/, "NN", [0x93], "."],
    ["an unknown name", /pickle names os\.system\. Nothing of it was run/, "cos\nsystem\n."],
    ["a name that would break the message", /pickle names "a\\u001b b\.x"/, "ca\x1b b\nx\n."],
    ["a method of Object.prototype as name", /pickle names \.constructor/, "c\nconstructor\n."],
    ["a call of what cannot be called", /pickle calls m\.constant/, "cm\nconstant\n)R."],
    ["a call of text", /pickle calls the text "a"/, [0x8c, 1], "a)R."],
    ["a call with no tuple", /pickle calls m\.pair/, "cm\npair\nNR."],
    ["the state of a list", /sets the state of a list/, "]}b."],
    ["a new object", /has opcode 0x81, which no dict of tensors needs/, "cm\npair\n)", [0x81], "."],
    ["an old instance", /has opcode 0x69/, "(ios\nsystem\n."],
  ])("%s", (_, message, ...pickle) => {
    expect(() => read(...pickle)).toThrow(TensorFileError);
    expect(() => read(...pickle)).toThrow(message);
    expect(() => read(...pickle)).toThrow(/x\.bin/);
  });
});
