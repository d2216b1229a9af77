import { expect, it } from "vitest";
import { RunningClock } from "./running-clock.mjs";

it("counts no time in which the process was stopped, and knows what that may have broken", () => {
  let time = 0;
  const clock = new RunningClock(() => time);
  clock.end(); // by hand here
  for (time = 100; time <= 60_000; time += 100) clock.now();
  const before = clock.now();
  expect(before).toBeGreaterThan(59_000);
  expect(clock.hasStoppedSince(0)).toBe(false);
  time += 3_600_000;
  expect(clock.now() - before).toBeLessThan(1000);
  expect(clock.stops).toBe(1);
  expect(clock.hasStoppedSince(before)).toBe(true);
  for (let i = 0; i < 100; i++) {
    time += 100;
    clock.now();
  }
  expect(clock.hasStoppedSince(clock.now())).toBe(false);
});
