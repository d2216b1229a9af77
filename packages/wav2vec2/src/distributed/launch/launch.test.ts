import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { MemoryNetwork } from "../../../test/distributed/memory-store.js";
import { temporaryDirectory } from "../../../test/fixtures/temporary-directory.js";
import { Rendezvous } from "./hosts/rendezvous.js";
import type { OpenStore } from "./hosts/store.js";
import { launch } from "./launch.js";
import { type Machine, planLaunch } from "./plan/launch-plan.js";

const MACHINE: Machine = { gpus: () => 0, cores: 1, libtorchHasCuda: false, stdinIsTerminal: false };

it("looks at the other hosts once an interval after its own processes have ended", async () => {
  const options = {
    nnodes: "2",
    "node-rank": "0",
    "rdzv-endpoint": "127.0.0.1:29400",
    "monitor-interval": "0.05",
    "log-dir": await temporaryDirectory("launch"),
  };
  const given = new Map(Object.entries(options).map(([name, value]) => [name, { value, from: `--${name}` }]));
  const notes: string[] = [];
  const onNote = (text: string): unknown => notes.push(text);
  const plan = planLaunch([], given, {}, MACHINE, onNote, true);
  const network = new MemoryNetwork();
  let joined = false;
  let waits = false;
  /** What host 0 asks while it waits for the end of the other one, which is silent. */
  const asked: string[] = [];
  const openStore: OpenStore = async (where) => {
    const store = await network.open(where);
    const { add, check } = store;
    store.add = (key, amount) => {
      if (waits) asked.push(`${key} ${amount}`);
      return add(key, amount);
    };
    store.check = (keys) => {
      if (joined && keys[0] === "launch/end/0/2") {
        waits = true;
        network.stores[1]!.cut = true;
      }
      return check(keys);
    };
    return store;
  };
  const program = [process.execPath, "-e", ""];
  const exitCode = launch(plan, { program, env: process.env, onNote, openStore });
  while (!network.hosted) await sleep(5);
  const other = await Rendezvous.open({
    hosts: { ...plan.hosts, rank: 1 },
    localSize: 1,
    runId: undefined,
    maxRestarts: 0,
    env: {},
    openStore: network.open,
    onNote,
  });
  await other.join(new AbortController().signal);
  joined = true;
  expect(await exitCode).toBe(137);
  await other.close();
  expect(notes.join("\n")).toMatch(/is lost: its launcher has not answered/);
  expect(asked).toContain("launch/beat/2 0");
  // Only who waits for trouble asks whether another host has failed.
  expect(asked.filter((call) => call === "launch/failed/0 0")).toEqual([]);
});
