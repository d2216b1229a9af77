import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, expect, it } from "vitest";
import { type Watched, WorkerCrash, WorkerPool } from "./worker-pool.js";

const directory = mkdtempSync(join(tmpdir(), "pool-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Job extends Watched {
  items: string[];
}

function pool(threads: number, body: string): WorkerPool<Job, string> {
  const path = join(directory, `worker-${Math.random()}.mjs`);
  writeFileSync(path, `import { threadId } from "node:worker_threads";\n${body}`);
  return new WorkerPool(pathToFileURL(path), threads);
}

const UPPER = `export default async ({ items, progress }) => {
  const done = [];
  for (const [index, item] of items.entries()) {
    progress[0] = index;
    if (item === "exit") process.exit(3);
    if (item === "throw") setTimeout(() => { throw new Error("thrown outside") });
    await new Promise((resolve) => setTimeout(resolve, 5));
    done.push(item.toUpperCase());
  }
  await new Promise((resolve) => setTimeout(resolve, 5));
  return done.join();
};`;

it("runs jobs on its threads", async () => {
  const workers = pool(2, `export default ({ items }) => items.join() + threadId;`);
  const results = await Promise.all(Array.from({ length: 20 }, (_, i) => workers.run({ items: [`${i}:`] })));
  expect(results.map((result) => Number(result.split(":")[0]))).toEqual(
    Array.from({ length: 20 }, (_, i) => i),
  );
  expect(new Set(results.map((result) => result.split(":")[1])).size).toBeLessThanOrEqual(2);
  expect(results.every((result) => Number(result.split(":")[1]) > 0)).toBe(true);
  await workers.close();
});

it.each([
  ["exit", "worker exited with code: 3"],
  ["throw", "thrown outside"],
])("says at which item a thread ended by %s, and goes on with another", async (fault, message) => {
  const workers = pool(1, UPPER);
  const bad = workers.run({ items: ["a", "b", fault, "c"] });
  const good = workers.run({ items: ["d", "e"] });
  await expect(bad).rejects.toThrow(WorkerCrash);
  await expect(bad).rejects.toMatchObject({ item: 2, message: expect.stringContaining(message) });
  expect(await good).toBe("D,E");
  expect(await workers.run({ items: ["f"] })).toBe("F");
  await workers.close();
});

it("rejects what is under way when it is closed", async () => {
  const workers = pool(1, `export default () => new Promise(() => setInterval(() => {}, 1000));`);
  const running = workers.run({ items: [] });
  const settled = expect(running).rejects.toThrow();
  expect(workers.closed).toBe(false);
  await workers.close();
  await settled;
  expect(workers.closed).toBe(true);
});

it("rejects what waits where no thread starts any more", async () => {
  const path = join(directory, "part.mjs");
  writeFileSync(path, "export {};");
  const workers = pool(1, `import "./part.mjs"; ${UPPER}`);
  expect(await workers.run({ items: ["a"] })).toBe("A");
  rmSync(path);
  await expect(workers.run({ items: ["exit"] })).rejects.toThrow(WorkerCrash);
  await expect(workers.run({ items: ["b"] })).rejects.toThrow(/part\.mjs/);
  await workers.close();
});

it("keeps no result", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const workers = pool(1, `export default () => ({ large: new Float64Array(1e5) });`) as WorkerPool<
    Job,
    unknown
  >;
  const results: WeakRef<object>[] = [];
  for (let i = 0; i < 40; i++) results.push(new WeakRef((await workers.run({ items: [] })) as object));
  await new Promise((resolve) => setTimeout(resolve, 20));
  collect();
  expect(results.filter((result) => result.deref()).length).toBeLessThan(5);
  await workers.close();
});

it("says why a module does not load", async () => {
  const workers = pool(1, `import "./nothing.mjs"; export default () => 1;`);
  await expect(workers.run({ items: ["a"] })).rejects.toThrow(/nothing\.mjs/);
  await expect(workers.run({ items: ["a"] })).rejects.not.toThrow(WorkerCrash);
  await workers.close();
});
