import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileInto, environment } from "./compiled.js";

const directory = mkdtempSync(join(tmpdir(), "libtorch-"));
const library = join(directory, "library");
beforeAll(() => compileInto(library), 180_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs a program that sees the package as `torch`. */
function run(program: string, ...nodeOptions: string[]) {
  const file = join(directory, `program-${Math.random()}.mjs`);
  writeFileSync(file, `import * as torch from ${JSON.stringify(join(library, "index.js"))};\n${program}`);
  const options = { env: environment, encoding: "utf8", timeout: 120_000 } as const;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [...nodeOptions, file], options);
  return { ended: signal ?? status, stdout, stderr };
}

describe("worker threads", () => {
  it("compute side by side, each with its own tensors, scopes and modes", () => {
    const result = run(`
      import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
      if (isMainThread) {
        const mine = torch.ones([3]);
        torch.noGrad(() => {
          for (const [i, factor] of [2, 5].entries()) {
            new Worker(new URL(import.meta.url), { workerData: factor }).on("message", (message) => {
              console.log(factor, message.value, message.gradient, mine.toArray().join());
            });
          }
        });
      } else {
        const x = torch.tensor([1, 2, 3], [3], { requiresGrad: true });
        let calls = 0;
        x.registerHook(() => { calls++; return undefined; });
        for (let i = 0; i < 200; i++) {
          torch.scope(() => {
            x.grad = undefined;
            x.mul(workerData).matmul(torch.ones([3])).backward();
          });
        }
        if (calls !== 200) throw new Error("hooks were called " + calls + " times");
        parentPort.postMessage({ value: x.mul(workerData).sum().item(), gradient: x.grad.toArray().join() });
      }`);
    expect(result.stderr).toBe("");
    expect(result.ended).toBe(0);
    expect(result.stdout.trim().split("\n").sort()).toEqual(["2 12 2,2,2 1,1,1", "5 30 5,5,5 1,1,1"]);
  });

  it("may be terminated at work, with hooks, checkpoints and tensors alive, and the process goes on", () => {
    const result = run(`
      import { isMainThread, parentPort, Worker } from "node:worker_threads";
      if (isMainThread) {
        for (let i = 0; i < 4; i++) {
          const worker = new Worker(new URL(import.meta.url));
          await new Promise((resolve) => worker.once("message", resolve));
          await new Promise((resolve) => setTimeout(resolve, 5 * i));
          await worker.terminate();
        }
        console.log(torch.ones([2]).sum().item());
      } else {
        const weight = torch.tensor(torch.randn([64 * 64]).toFloat32Array(), [64, 64], { requiresGrad: true });
        weight.registerHook((gradient) => gradient.mul(2));
        const held = [];
        for (let i = 0; ; i++) {
          const y = torch.checkpoint((x) => x.mm(weight).tanh(), weight);
          y.registerHook(() => undefined);
          if (held.length < 100) held.push(y);
          torch.scope(() => y.sum().backward(undefined, { retainGraph: true }));
          if (i === 20) parentPort.postMessage("working");
        }
      }`);
    expect(result.stderr).toBe("");
    expect([result.ended, result.stdout]).toEqual([0, "2\n"]);
  });
});

describe("tensors outside scopes", () => {
  it("are collected: 100,000 of 40 kB do not fill the memory", () => {
    const result = run(
      `
      let largest = 0;
      for (let i = 0; i < 100_000; i++) {
        torch.zeros([10_000]);
        if (i % 1000 === 0) {
          await new Promise((resolve) => setImmediate(resolve)); // finalisers run between turns of the event loop
          largest = Math.max(largest, process.memoryUsage.rss());
        }
      }
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 50));
      console.log(torch.memoryStatistics().liveTensors < 5000, largest < 1.5e9);`,
      "--expose-gc",
    );
    expect(result.stderr).toBe("");
    expect([result.ended, result.stdout]).toEqual([0, "true true\n"]);
  });

  it("leave the process to end quietly with tensors, gradients and hooks alive", () => {
    const result = run(`
      globalThis.kept = torch.tensor([1], [1], { requiresGrad: true });
      kept.registerHook(() => undefined);
      kept.mul(2).backward();
      console.log("end");`);
    expect(result).toEqual({ ended: 0, stdout: "end\n", stderr: "" });
  });
});

describe("every operator", () => {
  it("answers senseless arguments with a TorchError or a result, and never ends the process", () => {
    const program = fileURLToPath(new URL("fuzz-operators.mjs", import.meta.url));
    const crashed: string[] = [];
    const wrong: string[] = [];
    let after: string[] = [];
    for (;;) {
      const options = { env: environment, encoding: "utf8", timeout: 120_000 } as const;
      const { stdout, status, signal } = spawnSync(
        process.execPath,
        [program, library, "1", "8", ...after],
        options,
      );
      const lines = stdout.split("\n").filter((line) => line !== "" && !line.startsWith("    "));
      wrong.push(...lines.filter((line) => line.startsWith("wrong: ")));
      const last = lines.findLast((line) => !line.startsWith("wrong: "));
      if (last === "done" || last === undefined || last === after[0]) break;
      crashed.push(`${last} (${signal ?? status})`);
      after = [last];
    }
    expect(crashed).toEqual([]);
    expect(wrong).toEqual([]);
  });
});

describe.runIf(process.platform === "linux")("the end of a process", () => {
  it("gives the pipe that it read from back as it was: whoever reads on may wait in it", () => {
    const file = join(directory, "reader.mjs");
    writeFileSync(
      file,
      `import * as torch from ${JSON.stringify(join(library, "index.js"))};
      process.stdin.on("data", () => {});
      torch.ones([2]);
      setTimeout(() => process.exit(3), 100);`,
    );
    const script = `(sleep 2) | ("$0" "$1"; echo "ended $?"; grep flags /proc/self/fdinfo/0)`;
    const { stdout } = spawnSync("sh", ["-c", script, process.execPath, file], {
      env: environment,
      encoding: "utf8",
    });
    const [ended, flags] = stdout.trim().split("\n");
    expect(ended).toBe("ended 3");
    const nonBlocking = 0o4000;
    expect(Number.parseInt(flags!.split(/\s+/)[1]!, 8) & nonBlocking).toBe(0);
  });
});
