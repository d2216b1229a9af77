import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { shellName } from "./shell-name.js";

it.each([
  ["talk.m4a", "talk.m4a"],
  ["/a/b-c_1+2.wav", "/a/b-c_1+2.wav"],
  ["my talk.m4a", "'my talk.m4a'"],
  ["it's $HOME;`ls`.wav", `'it'\\''s $HOME;\`ls\`.wav'`],
  ["-i.wav", "./-i.wav"],
  ["12:30.wav", "./12:30.wav"],
  ["dir/12:30.wav", "dir/12:30.wav"],
  ["~a/#1 (2).wav", "'~a/#1 (2).wav'"],
  ["größe.wav", "'größe.wav'"],
  ["two\nlines", "'two\nlines'"],
])("a shell reads the name of %j as it is", (path, expected) => {
  expect(shellName(path)).toBe(expected);
  const given = execFileSync("sh", ["-c", `printf %s ${shellName(path)}`], { encoding: "utf8" });
  expect([path, `./${path}`]).toContain(given);
});
