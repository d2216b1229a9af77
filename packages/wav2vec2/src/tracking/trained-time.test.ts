import { expect, it } from "vitest";
import { TrainedTime } from "./trained-time.js";

it("counts neither the pause of an interrupted run, nor twice what several processes read of the same time", () => {
  const trained = new TrainedTime();
  const times = [100, 115, 100, 115, 130, 3000, 3010];
  expect(times.map((time) => trained.since(time))).toEqual([0, 15, 0, 0, 15, 0, 10]);
});
