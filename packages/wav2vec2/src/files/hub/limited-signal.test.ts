import { once } from "node:events";
import { expect, it } from "vitest";
import { limitedSignal } from "./limited-signal.js";

it("is aborted after a time, or with the other signal, with its reason, or never once it is disposed of", async () => {
  const parent = new AbortController();
  using timed = limitedSignal(parent.signal, 1);
  using following = limitedSignal(parent.signal, undefined);
  const over = limitedSignal(parent.signal, undefined);
  over[Symbol.dispose]();
  if (!timed.signal.aborted) await once(timed.signal, "abort");
  expect(following.signal.aborted).toBe(false);
  parent.abort("enough");
  expect([timed, following, over].map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
  expect(following.signal.reason).toBe("enough");
  using late = limitedSignal(parent.signal, undefined);
  expect(late.signal.aborted).toBe(true);
});
