import { afterEach, describe, expect, it } from "vitest";
import { Control } from "./control.js";

let control: Control;
afterEach(() => control.release());

function begin(): { done: string[]; at: (milliseconds: number) => void; ranks: { alive: number } } {
  const done: string[] = [];
  let time = 0;
  const plan = {
    signals: ["SIGHUP", "SIGUSR2"] as NodeJS.Signals[],
    patience: { signal: 1_000, failure: 1_000 },
  };
  control = new Control(
    plan,
    () => {},
    () => time,
  );
  const ranks = {
    alive: 2,
    signal: (name: string) => void done.push(name),
    kill: () => void done.push("kill"),
  };
  control.begin(ranks);
  return { done, ranks, at: (milliseconds) => (time = milliseconds) };
}

describe("Control", () => {
  it("takes what comes twice at once for one signal, and the next for a second one", () => {
    const { done, at } = begin();
    process.emit("SIGHUP");
    at(200);
    process.emit("SIGHUP");
    expect([done, control.stoppedBy, control.stopped.aborted]).toEqual([["SIGHUP"], "SIGHUP", true]);
    at(900);
    process.emit("SIGHUP");
    expect(done).toEqual(["SIGHUP", "kill"]);
  });

  it("passes on a signal that ends nothing as often as it comes", () => {
    const { done, at } = begin();
    process.emit("SIGUSR2");
    at(900);
    process.emit("SIGUSR2");
    expect([done, control.stoppedBy]).toEqual([["SIGUSR2", "SIGUSR2"], undefined]);
  });

  it("passes on to later processes what came before they were there", () => {
    const { done } = begin();
    process.emit("SIGHUP");
    control.begin({ alive: 1, signal: (name: string) => void done.push(`later ${name}`), kill: () => {} });
    expect(done).toEqual(["SIGHUP", "later SIGHUP"]);
  });

  it("waits for nobody where there is no process", async () => {
    const { ranks } = begin();
    ranks.alive = 0;
    process.emit("SIGHUP");
    expect(await control.forced).toBe(129);
  });
});
