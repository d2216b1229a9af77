import { describe, expect, it } from "vitest";
import { recordingNames } from "./recording-names.js";

const files = (...paths: string[]) => paths.map((path) => ({ path }));
const found = (within: string, ...paths: string[]) =>
  paths.map((path) => ({ path: `${within}/${path}`, within }));

describe("names of recordings in outputs", () => {
  it.each([
    ["of files are theirs", files("a/1.flac", "b/2.x.wav"), ["1", "2.x"]],
    ["of files of one name tell the directories", files("a/1.flac", "b/1.flac"), ["a/1", "b/1"]],
    ["one above the other too", files("1.flac", "b/1.flac"), ["1", "b/1"]],
    ["with one name but for the ending keep it", files("1.flac", "1.wav", "2.wav"), ["1.flac", "1.wav", "2"]],
    ["of a directory are paths below it", found("d", "1.flac", "anna/1.flac"), ["1", "anna/1"]],
    [
      "of several directories tell which",
      [...found("d/anna", "1.flac"), ...found("d/ben", "2.flac")],
      ["anna/1", "ben/2"],
    ],
    ["of a directory and a file too", [...found("d/anna", "1.flac"), ...files("d/2.wav")], ["anna/1", "2"]],
  ])("%s", (_, recordings, names) => {
    expect(recordingNames(recordings)).toEqual(names);
  });

  it("are one of one recording", () => {
    expect(recordingNames([...files("d/1.flac"), ...found("d", "1.flac")])).toEqual(["1", "1"]);
  });
});
