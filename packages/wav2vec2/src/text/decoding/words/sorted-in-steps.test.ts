import { expect, it } from "vitest";
import { Random } from "../../../data/random.js";
import { atOnce } from "../../../in-turns.js";
import { sortedInSteps } from "./sorted-in-steps.js";

it("sorts as one sort does, in many steps", () => {
  const random = new Random(1, "sorted");
  const word = () =>
    String.fromCharCode(...Array.from({ length: 1 + random.integer(5) }, () => random.integer(65_536)));
  for (const count of [0, 1, 2, 2048, 2049, 30_000]) {
    const words = Array.from({ length: count }, word);
    expect(atOnce(sortedInSteps(words))).toEqual([...words].sort());
    if (count < 30_000) continue;
    let steps = 0;
    for (const _ of sortedInSteps(words)) steps++;
    expect(steps).toBeGreaterThan(20);
  }
});
