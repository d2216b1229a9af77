import { expect, it } from "vitest";
import { slowStop } from "./slow-stop.js";

it("says what to raise where a step and its checkpoint together take longer than launchers wait", () => {
  expect(slowStop(2, 18)).toBeUndefined();
  expect(slowStop(15, 6)).toMatch(
    /up to 21 s here: 15 s for the step and 6 s for the checkpoint.*--shutdown-timeout/,
  );
});
