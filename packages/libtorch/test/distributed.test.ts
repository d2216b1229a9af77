import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { distributed } from "../src/index.js";
import { compileInto } from "./compiled.js";
import { type Ended, freePort, runTogether } from "./processes-together.js";

const directory = mkdtempSync(join(tmpdir(), "libtorch-distributed-"));
const library = join(directory, "library");
beforeAll(() => compileInto(library));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const run = (size: number, program: string, options?: { timeoutMs?: number }) =>
  runTogether(directory, library, size, program, options);

/** What each process printed, a value a line. */
function printed(processes: readonly Ended[]): unknown[][] {
  for (const { ended, stderr } of processes) expect([ended, stderr]).toEqual([0, ""]);
  return processes.map(({ stdout }) =>
    stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
  );
}

describe("collectives", () => {
  it.each([2, 3])("give %d processes what PyTorch's give", async (size) => {
    const ranks = printed(
      await run(
        size,
        `
        const own = (values) => torch.keep(torch.tensor(values));
        const sum = own([rank + 1, 10 * rank]);
        await group.allReduce(sum);
        const most = own([rank, -rank]);
        await group.allReduce(most, "max");
        const sent = own([rank, 7]);
        await group.broadcast(sent, 1);
        const gathered = await group.allGather(own([rank, -1]));
        const part = await group.reduceScatter(Array.from({ length: size }, (_, to) => own([100 * to + rank])));
        const texts = await group.gatherBytes(Buffer.from("x".repeat(3 * rank)));
        await group.barrier();
        print({
          sum: sum.toArray(), most: most.toArray(), sent: sent.toArray(),
          gathered: gathered.map((each) => each.toArray()), part: part.toArray(),
          texts: texts.map((bytes) => Buffer.from(bytes).toString()),
        });`,
      ),
    );
    const all = Array.from({ length: size }, (_, rank) => rank);
    const total = all.reduce((sum, rank) => sum + rank, 0);
    for (const [rank, [values]] of ranks.entries()) {
      expect(values).toEqual({
        sum: [total + size, 10 * total],
        most: [size - 1, expect.closeTo(0)],
        sent: [1, 7],
        gathered: all.map((other) => [other, -1]),
        part: [size * 100 * rank + total],
        texts: all.map((other) => "x".repeat(3 * other)),
      });
    }
  });

  it("name the operation and the process that has ended", async () => {
    const [first, second] = await run(
      2,
      `
      if (rank === 1) process.kill(process.pid, "SIGKILL");
      await group.allReduce(torch.keep(torch.ones([3]))).catch(({ name, message }) => print({ name, message }));`,
    );
    expect(second!.ended).toBe("SIGKILL");
    const { name, message } = JSON.parse(first!.stdout) as { name: string; message: string };
    expect(name).toBe("DistributedError");
    expect(message).toMatch(
      /^all_reduce of rank 0 must be done within 60 s, but rank 1 \(host-1\) has ended/,
    );
  });

  it("end at the time-out where a process is stopped, and name it", async () => {
    const [first] = await run(
      2,
      `
      if (rank === 1) process.kill(process.pid, "SIGSTOP");
      await group.barrier().catch(({ message }) => print({ message }));`,
      { timeoutMs: 2000 },
    );
    expect(JSON.parse(first!.stdout).message).toMatch(
      /^barrier of rank 0 must be done within 2 s, but rank 1 \(host-1\) has ended or does not answer: Timed out/,
    );
  });

  it("wait for processes that do not come no longer than the time-out, and name them", async () => {
    const port = await freePort();
    const store = await distributed.TCPStore.open({ host: "127.0.0.1", port, isServer: true });
    const options = { store, rank: 0, size: 3, name: "alone", timeoutMs: 300, address: "127.0.0.1" };
    await expect(distributed.ProcessGroup.open({ ...options, backend: "gloo" })).rejects.toThrow(
      "All 3 processes must come within 0.3 s, but rank 1, rank 2 did not.",
    );
    await store.close();
  });

  it("refuse what is not contiguous, an unknown backend, and a group that was closed", async () => {
    const [answers] = printed(
      await run(
        1,
        `
        const fails = (promise) => promise.then(() => "done", ({ message }) => message);
        print(await fails(group.allReduce(torch.keep(torch.ones([2, 3]).transpose(0, 1)))));
        await group.close();
        print(await fails(group.barrier()));
        const options = { store, rank: 0, size: 1, name: "other", timeoutMs: 1000 };
        print(await fails(ProcessGroup.open({ ...options, backend: "mpi" })));`,
      ),
    );
    expect(answers![0]).toContain("a tensor to exchange must be contiguous");
    expect(answers![1]).toContain("but it was closed");
    expect(answers![2]).toMatch(/^backend must be gloo/);
  });
});

describe("a store", () => {
  it("keeps values, adds, waits and forgets", async () => {
    const port = await freePort();
    const host = await distributed.TCPStore.open({ host: "127.0.0.1", port, isServer: true });
    const other = await distributed.TCPStore.open({ host: "127.0.0.1", port, isServer: false });
    expect(other.port).toBe(port);
    const coming = other.getText("greeting");
    await host.set("greeting", "hello");
    expect(await coming).toBe("hello");
    expect([await host.add("count", 2), await other.add("count", 3)]).toEqual([2, 5]);
    expect(await other.check(["greeting", "absent"])).toBe(false);
    await expect(other.get("absent", { timeoutMs: 50 })).rejects.toThrow(
      `absent must be in the store at 127.0.0.1:${port} within 0.05 s, but is not.`,
    );
    expect(await host.deleteKey("greeting")).toBe(true);
    expect(await other.check(["greeting"])).toBe(false);
    await other.close();
    await host.close();
  });

  it("names a port that is taken", async () => {
    const server = createServer().listen(0);
    const { port } = server.address() as { port: number };
    await expect(
      distributed.TCPStore.open({ host: "127.0.0.1", port, isServer: true, timeoutMs: 1000 }),
    ).rejects.toThrow(`The store must be hosted at port ${port} of 127.0.0.1, but cannot be`);
    server.close();
  });

  it("names an address that does not answer, and the time-out", async () => {
    const port = await freePort();
    await expect(
      distributed.TCPStore.open({ host: "127.0.0.1", port, isServer: false, timeoutMs: 1500 }),
    ).rejects.toThrow(`The store at 127.0.0.1:${port} must answer within 1.5 s, but does not`);
  });
});

// Three linear layers over eight rows, which processes share: losses are sums over rows. Parameter 4 is only used by the
// row that comes first, 5 by none.
const NETWORK = `
  torch.manualSeed(3);
  const draw = (shape) => torch.nn.parameter(torch.randn(shape).mul(0.3));
  const parameters = [draw([6, 5]), draw([5, 5]), draw([5, 1]), draw([1]), draw([5]), draw([3])];
  const rows = torch.keep(torch.randn([8, 6]));
  const shared = (hidden) => hidden.matmul(parameters[1]).tanh();
  const lossOf = (row) => {
    let hidden = rows.slice(0, row, row + 1).matmul(parameters[0]);
    hidden = checkpointed ? torch.checkpoint(shared, torch.checkpoint(shared, hidden)) : shared(shared(hidden));
    if (row === 0) hidden = hidden.mul(parameters[4]);
    return hidden.matmul(parameters[2]).add(parameters[3]).pow(2).sum();
  };
  const gradients = () => parameters.map(({ grad }) => grad?.toArray().map((value) => Number(value.toPrecision(6))) ?? null);`;

const UPDATES = (options: string) => `
  ${NETWORK}
  await shareValues(parameters, group);
  const reducer = new Reducer(group, parameters, { traced: true, ...${options} });
  for (let update = 0; update < 3; update++) {
    reducer.begin();
    const mine = [0, 1, 2, 3, 4, 5, 6, 7].filter((row) => row % size === rank);
    for (const [place, row] of mine.entries()) {
      if (place === mine.length - 1) reducer.sendNext();
      torch.scope(() => lossOf(row).backward());
    }
    await reducer.finish();
    const used = torch.keep(torch.tensor(Float32Array.from(reducer.arrived())));
    await group.allReduce(used, "max");
    reducer.assign(Uint8Array.from(used.toArray()));
    print(gradients());
    for (const parameter of parameters) parameter.grad = undefined;
  }
  print(reducer.trace().length);`;

describe("a reducer", () => {
  const alone = (checkpointed: boolean) =>
    run(
      1,
      `const checkpointed = ${checkpointed}; ${NETWORK}
      for (let row = 0; row < 8; row++) torch.scope(() => lossOf(row).backward());
      print(gradients());`,
    ).then((processes) => printed(processes)[0]![0] as (number[] | null)[]);

  const expectClose = (actual: unknown, expected: (number[] | null)[]) => {
    for (const [i, gradient] of expected.entries()) {
      const own = (actual as (number[] | null)[])[i];
      if (gradient === null) expect(own).toBeNull();
      for (const [k, value] of (gradient ?? []).entries()) expect(own![k]).toBeCloseTo(value, 4);
    }
  };

  it.each([
    [2, false],
    [3, false],
    [2, true],
  ])("gives %d processes the gradients of one (checkpoints: %s)", async (size, checkpointed) => {
    const expected = await alone(checkpointed);
    expect(expected[4]).not.toBeNull();
    expect(expected[5]).toBeNull();
    // Buckets of a parameter each: more than one is under way.
    const program = `const checkpointed = ${checkpointed}; ${UPDATES("{ firstBucketBytes: 16, bucketBytes: 64 }")}`;
    for (const values of printed(await run(size, program))) {
      for (const update of values.slice(0, 3)) expectClose(update, expected);
      expect(values[3]).toBeGreaterThan(2);
    }
  });

  it("sends bfloat16 where it should", async () => {
    const expected = await alone(false);
    const program = `const checkpointed = false; ${UPDATES('{ compression: "bfloat16" }')}`;
    const [first, second] = printed(await run(2, program)) as [unknown[], unknown[]];
    expect(first).toEqual(second);
    const own = (first[2] as number[][])[0]!;
    const largest = Math.max(...expected[0]!.map(Math.abs));
    for (const [k, value] of expected[0]!.entries())
      expect(Math.abs(own[k]! - value)).toBeLessThan(0.02 * largest);
    expect(own).not.toEqual(expected[0]); // it was rounded
  });

  it("leaves out what takes no part, sends nothing for it, and says where it takes part all the same", async () => {
    const [first] = printed(
      await run(
        2,
        `const checkpointed = false; ${NETWORK}
        const reducer = new Reducer(group, parameters, { firstBucketBytes: 4, bucketBytes: 4, traced: true });
        const step = async (active, row) => {
          reducer.begin(active);
          reducer.sendNext();
          if (row !== undefined) torch.scope(() => lossOf(row).backward());
          await reducer.finish();
          const sent = reducer.trace().length;
          reducer.assign(reducer.arrived());
          for (const parameter of parameters) parameter.grad = undefined;
          return sent;
        };
        const all = Uint8Array.of(1, 1, 1, 1, 0, 0);
        print(await step(all, 1));
        print(await step(all, 2));
        print(await step(all, rank === 0 ? 3 : undefined)); // rank 1 has nothing: zeros
        parameters[0].requiresGrad = false;
        print(await step(Uint8Array.of(0, 1, 1, 1, 0, 0), 3));
        print(await step(Uint8Array.of(0, 0, 1, 1, 0, 0), 3).catch(({ message }) => message));`,
      ),
    );
    expect(first!.slice(0, 4)).toEqual([4, 4, 4, 3]);
    expect(first![4]).toMatch(/a parameter that an update leaves out must have no gradient/);
  });

  it("lays its buckets in the order of arrival, and takes that of another run", async () => {
    const [first, second] = printed(
      await run(
        2,
        `const checkpointed = false; ${NETWORK}
        const reducer = new Reducer(group, parameters);
        print(reducer.order);
        reducer.begin();
        reducer.sendNext();
        torch.scope(() => lossOf(0).backward());
        await reducer.finish();
        const { arrivals } = reducer;
        reducer.assign(reducer.arrived());
        for (const parameter of parameters) parameter.grad = undefined;
        reducer.arrange(arrivals);
        print(reducer.order);
        print(new Reducer(group, parameters, { order: arrivals }).order);
        try { reducer.arrange([0, 0, 1, 2, 3, 4]); } catch ({ message }) { print(message); }`,
      ),
    );
    expect(first).toEqual(second);
    expect(first![0]).toEqual([5, 4, 3, 2, 1, 0]);
    expect([...(first![1] as number[])].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect((first![1] as number[]).at(-1)).toBe(5); // it never arrived
    expect((first![1] as number[])[0]).toBe(3); // next to the loss
    expect(first![2]).toEqual(first![1]);
    expect(first![3]).toContain("an order must hold each parameter's number once");
  });

  it("fails where another process fails in the middle of a backward pass", async () => {
    const [first] = await run(
      2,
      `const checkpointed = false; ${NETWORK}
      const reducer = new Reducer(group, parameters, { firstBucketBytes: 4, bucketBytes: 4 });
      const step = async (row) => {
        reducer.begin();
        reducer.sendNext();
        torch.scope(() => lossOf(row).backward());
        await reducer.finish();
        for (const parameter of parameters) parameter.grad = undefined;
      };
      await step(0);
      if (rank === 1) parameters[1].registerHook(() => process.kill(process.pid, "SIGKILL"));
      await step(0).catch(({ name, message }) => print({ name, message }));`,
    );
    const { name, message } = JSON.parse(first!.stdout) as { name: string; message: string };
    expect(name).toBe("DistributedError");
    expect(message).toMatch(
      /^all_reduce of gradients of rank 0 must be done .* but rank 1 \(host-1\) has ended/,
    );
  });
});

describe("shared values", () => {
  it("are those of rank 0 everywhere, and differences are seen", async () => {
    const ranks = printed(
      await run(
        2,
        `
        const values = [torch.keep(torch.ones([3]).mul(rank)), torch.keep(torch.tensor(Int32Array.of(rank)))];
        print(digestOf(values));
        await shareValues(values, group);
        print([...values.map((each) => each.toArray()), digestOf(values)]);`,
      ),
    );
    expect(ranks[0]![0]).not.toBe(ranks[1]![0]);
    expect(ranks[0]![1]).toEqual([[0, 0, 0], [0], ranks[0]![0]]);
    expect(ranks[1]![1]).toEqual(ranks[0]![1]);
  });
});
