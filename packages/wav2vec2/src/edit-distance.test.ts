import { expect, it } from "vitest";
import { editDistance } from "./edit-distance.js";

it.each([
  ["", "", 0],
  ["", "abc", 3],
  ["abc", "", 3],
  ["kitten", "sitting", 3],
  ["abcd", "bcda", 2],
  ["same", "same", 0],
])("editDistance of %j and %j", (a, b, distance) => {
  expect(editDistance([...a], [...b])).toBe(distance);
});
