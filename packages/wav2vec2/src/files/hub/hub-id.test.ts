import { expect, it } from "vitest";
import { isHubId } from "./hub-id.js";

it.each([
  ["facebook/wav2vec2-base-960h", true],
  ["gpt2", true],
  ["a/b.c_d-e", true],
  ["foo--bar", false],
  ["a/b.git", false],
  ["a..b", false],
  ["datasets/a/b", false],
  ["a/", false],
  ["-a/b", false],
  ["a/b.", false],
])("%s is an id: %s", (name, expected) => {
  expect(isHubId(name)).toBe(expected);
});
