import { expect, it } from "vitest";
import { counted } from "./counted.js";

it("names one thing and several", () => {
  expect([0, 1, 2].map((count) => counted(count, "clip"))).toEqual(["0 clips", "1 clip", "2 clips"]);
  expect(counted(1000, "clip", "1,000")).toBe("1,000 clips");
});
