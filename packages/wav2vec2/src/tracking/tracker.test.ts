import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { combineTrackers } from "./tracker.js";

it("throws what a tracker rejected with at the next call, and at the close", async () => {
  const tracker = combineTrackers([
    {
      async log() {
        await turn();
        throw new Error("500");
      },
    },
  ]);
  tracker.log({ loss: 1 }, 1);
  await turn();
  await turn();
  expect(() => tracker.log({ loss: 1 }, 2)).toThrow("500");
  expect(() => tracker.tell("something")).toThrow("500");
  tracker.end({ state: "failed", reason: "500" }); // which all are told
  await expect(tracker.close()).rejects.toThrow("500");
});
