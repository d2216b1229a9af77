import { expect, it } from "vitest";
import { audioNames } from "./audio-names.js";

it("recordings are named by their ends, those of formats that are not read among them", () => {
  const names = [
    "a.wav",
    "b.WAVE",
    "c.m4a",
    "d.webm",
    "e.AMR",
    "f.aiff",
    "g.mp4",
    "h.caf",
    "i.wma",
    "j.aac",
    "k.sph",
  ];
  expect(audioNames(names)).toEqual(names);
  expect(audioNames(["a.txt", "a.json", "a.TextGrid", "LICENSE", "a.ts", "._a.wav", ".hidden.m4a"])).toEqual(
    [],
  );
});

it("what a recording was converted from is none beside it", () => {
  expect(audioNames(["a.mp4", "a.wav", "b.mp4", "a.b.m4a"])).toEqual(["a.wav", "b.mp4", "a.b.m4a"]);
  expect(audioNames(["a.flac", "a.wav"])).toEqual(["a.flac", "a.wav"]);
});
