import { expect, it } from "vitest";
import { createConfig } from "../model/configuration.js";
import { frameTargets, frameTime, segmentsOfFrames } from "./frame-targets.js";

const config = createConfig({ id2label: ["a", "b"] });
const idOf = new Map([
  ["a", 0],
  ["b", 1],
]);

it("a frame has the labels of the segments that its middle lies in", () => {
  expect([frameTime(config, 0), frameTime(config, 49)]).toEqual([0.0125, expect.closeTo(0.9925)]);
  const segments = [
    { start: 0, end: 0.03, label: "a" },
    { start: 0.03, end: 0.08, label: "a" },
    { start: 0.05, end: 0.2, label: "b" },
    { start: 0, end: 1, label: "not of the head" },
  ];
  // middles at 12.5, 32.5, 52.5, 72.5 and 92.5 ms
  expect([...frameTargets(config, segments, 5, idOf)]).toEqual([1, 0, 1, 0, 1, 1, 1, 1, 0, 1]);
});

it("frames of one label in a row are a segment, which gives the frames back", () => {
  const chosen = Uint8Array.of(1, 0, 1, 1, 0, 1, 1, 0, 1, 0);
  const segments = segmentsOfFrames(config, chosen, 5);
  expect(segments.map(({ label }) => label)).toEqual(["a", "b", "a"]);
  expect(segments[0]).toEqual({ start: expect.closeTo(0.0025), end: expect.closeTo(0.0425), label: "a" });
  expect([...frameTargets(config, segments, 5, idOf)]).toEqual([...chosen]);
});
