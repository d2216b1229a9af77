import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { UserError } from "../../errors.js";
import type { RunDescription } from "../run-description.js";
import { sinkThread } from "./sink-thread.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sink-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const ERRORS = new URL("../../../dist/errors.js", import.meta.url);

/** A sink whose body knows `context`, `say` (a line into the file `said`) and `UserError`. */
function sink(body: string, options: { mostWaiting?: number; closeSilenceMs?: number } = {}) {
  const module = join(directory, "sink.mjs");
  writeFileSync(
    module,
    `import { appendFileSync } from "node:fs";
     import { UserError } from ${JSON.stringify(ERRORS.href)};
     const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
     export default (context, { directory }) => {
       const say = (text) => appendFileSync(directory + "/said", text + "\\n");
       return ${body};
     };`,
  );
  const notes: string[] = [];
  const stop = vi.fn();
  const made = sinkThread({
    name: "Test",
    module: pathToFileURL(module),
    options: { directory },
    note: (text) => void notes.push(text),
    stop,
    ...options,
  });
  return {
    made,
    notes,
    stop,
    said: () => readFileSync(join(directory, "said"), "utf8").split("\n").slice(0, -1),
  };
}

const RUN = { name: "run" } as RunDescription;

it("is told things one after another, though they take their time, with when they happened", async () => {
  const { made, notes, said } = sink(
    "{ async log({ loss }, step) { const time = context.now(); await after(step === 1 ? 60 : 0); say([step, loss, Math.abs(Date.now() - time) > 40]); }, close() { say('closed'); } }",
  );
  made.log!({ loss: 2 }, 1);
  made.log!({ loss: Number.NaN }, 2);
  made.codebooks!([[1]], 2); // which this sink does not show
  await made.close!();
  await made.close!();
  expect(said()).toEqual(["1,2,true", "2,NaN,true", "closed"]);
  expect(notes).toEqual([]);
});

it("ends a run that it will never take, with its words", async () => {
  const { made, notes } = sink(
    "{ async begin() { throw new UserError('The key must be right, but is not.'); }, end() { context.note('The end?'); } }",
  );
  const begun = made.begin!(RUN);
  await expect(begun).rejects.toThrow(UserError);
  await expect(begun).rejects.toThrow("The key must be right, but is not.");
  made.end!({ state: "failed" });
  await made.close!();
  expect(notes).toEqual([]);
});

it("fails alone: that is said once", async () => {
  const { made, notes, said } = sink(
    "{ log(_, step) { say(step); if (step > 1) throw new Error('No more.'); } }",
  );
  for (const step of [1, 2]) made.log!({}, step);
  await vi.waitFor(() => expect(notes).toEqual(["Training goes on without Test: No more. (in log)"]), 30_000);
  made.log!({}, 3);
  await made.close!();
  expect(said()).toEqual(["1", "2"]);
  expect(notes).toHaveLength(1);
});

it.each([
  ["does not load", "nonsense(", /^Training goes on without Test: /],
  [
    "ends its thread",
    "{ begin() { process.exit(3); } }",
    /^Training goes on without Test: its thread ended with 3/,
  ],
])("fails alone where it %s", async (_, body, note) => {
  const { made, notes } = sink(body);
  await made.begin!(RUN);
  await made.close!();
  expect(notes).toEqual([expect.stringMatching(note)]);
});

it("drops what it cannot take in time, and says how much", async () => {
  const { made, notes, said } = sink("{ async log(_, step) { say(step); await after(100); } }", {
    mostWaiting: 2,
  });
  for (let step = 1; step <= 5; step++) made.log!({}, step);
  await made.close!();
  expect(said()).toEqual(["1", "2"]);
  expect(notes).toEqual(["Test could not follow: 3 things were not sent to it."]);
});

it("is left at the end where it does not answer any more", async () => {
  const { made, notes } = sink("{ close: () => new Promise(() => {}) }", { closeSilenceMs: 50 });
  made.log!({}, 1);
  await made.close!();
  expect(notes).toEqual(["Test did not answer for 0.05 s at the end of the run and is left."]);
});

it("is waited for at the end while it says that it is at work", async () => {
  const close = `async () => {
    for (let i = 0; i < 30; i++) {
      context.working();
      await new Promise((done) => setTimeout(done, 100));
    }
  }`;
  const { made, notes } = sink(`{ close: ${close} }`, { closeSilenceMs: 2000 });
  made.log!({}, 1);
  await made.close!();
  expect(notes).toEqual([]);
});

it("passes notes and a wish to stop on", async () => {
  const { made, notes, stop } = sink("{ log() { context.note('A word.'); context.stop('Enough.'); } }");
  made.log!({}, 1);
  await made.close!();
  expect(notes).toEqual(["A word."]);
  expect(stop).toHaveBeenCalledExactlyOnceWith("Enough.");
});
