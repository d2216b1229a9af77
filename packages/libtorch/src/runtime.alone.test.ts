import { describe, expect, it } from "vitest";
import { dropout, empty, ones, rand, randn, randperm, zeros } from "./operators/operators.generated.js";
import {
  bridgeCounters,
  libtorchInfo,
  manualSeed,
  memoryStatistics,
  randomState,
  releaseMemory,
  resetBridgeCounters,
  setRandomState,
  setThreads,
  uniform,
  workarounds,
} from "./runtime.js";
import { scope } from "./tensors/handles.js";
import { fromBuffer, tensor } from "./tensors/tensor.js";

describe("random numbers", () => {
  const draw = () => [
    ...randn([3]).toArray(),
    ...rand([2]).toArray(),
    ...randperm(5).toArray(),
    ...dropout(ones([8]), 0.5, true).toArray(),
  ];

  it("repeat with the seed", () => {
    manualSeed(42);
    const first = draw();
    expect(draw()).not.toEqual(first);
    manualSeed(42);
    expect(draw()).toEqual(first);
  });

  it("are those of tensors where they are drawn without one", () => {
    manualSeed(3);
    const drawn = [uniform(1), uniform(256), uniform(5)].map((numbers) => Array.from(numbers));
    manualSeed(3);
    expect(drawn).toEqual([1, 256, 5].map((count) => rand([count]).toArray()));
  });

  it("continue from a saved state, also inside a normal pair and after another seed", () => {
    manualSeed(1);
    randn([1]);
    const state = randomState();
    const next = draw();
    manualSeed(2);
    draw();
    setRandomState(state);
    expect(draw()).toEqual(next);
  });

  it("refuse a state that is none", () => {
    expect(() => setRandomState(tensor([1, 2, 3], [3], { dtype: "uint8" }))).toThrow(/RNG|state/);
    expect(() => setRandomState(tensor([1]))).toThrow(/ByteTensor|uint8|RNG/);
    expect(() => manualSeed(1.5)).toThrow(/must be an integer, but is 1.5/);
  });

  it("are spread as their names say", () => {
    manualSeed(3);
    const uniform = zeros([10_000]).uniform_(2, 4);
    expect(uniform.amin().item()).toBeGreaterThanOrEqual(2);
    expect(uniform.amax().item()).toBeLessThan(4);
    expect(uniform.mean().item()).toBeCloseTo(3, 1);
    const normal = zeros([10_000]).normal_(1, 0.5);
    expect(normal.mean().item()).toBeCloseTo(1, 1);
    expect(normal.variance().sqrt().item()).toBeCloseTo(0.5, 1);
    expect(zeros([10_000]).bernoulli_(0.25).mean().item()).toBeCloseTo(0.25, 1);
  });
});

describe("threads", () => {
  it("are 1 to 1024", () => {
    const { threads } = libtorchInfo();
    setThreads(1);
    expect(libtorchInfo().threads).toBe(1);
    setThreads(threads);
    for (const wrong of [0, -1, 1.5, 1025]) expect(() => setThreads(wrong)).toThrow(/must be/);
    expect(libtorchInfo().threads).toBe(threads);
  });
});

describe("workarounds", () => {
  it("say the operator and the version", () => {
    for (const line of workarounds()) expect(line).toMatch(/^[\w. ]+: .* in libtorch \d+\.\d+/);
    const old = libtorchInfo().version.startsWith("1.");
    expect(workarounds().some((line) => line.startsWith("gelu: "))).toBe(old);
  });
});

describe("memory", () => {
  const work = (round: number) =>
    scope(() => {
      const weight = zeros([512, 700]);
      weight.requiresGrad = true;
      ones([300 + ((round * 37) % 200), 512])
        .mm(weight)
        .relu()
        .sum()
        .backward();
      weight.grad = undefined;
    });

  it("of many small blocks becomes one large one", () => {
    releaseMemory();
    const megabyte = 2 ** 20;
    scope(() => {
      for (let i = 0; i < 64; i++) zeros([megabyte / 4]);
    });
    const kept = memoryStatistics().cachedBytes;
    expect(kept).toBeGreaterThanOrEqual(64 * megabyte);
    scope(() => {
      zeros([(48 * megabyte) / 4]);
      expect(memoryStatistics().cachedBytes).toBe(kept - 48 * megabyte);
    });
    expect(memoryStatistics().cachedBytes).toBe(kept);
  });

  it("is what the process holds, not what it gave back beside it", () => {
    const part = 64 * 2 ** 20; // more than other tests leave between tensors that live on
    const parts = (count: number) => empty([(count * part) / 4]);
    scope(() => void parts(4));
    releaseMemory();
    expect(memoryStatistics().cachedBytes).toBe(0);
    scope(() => {
      const [first, second] = [parts(1), parts(1)];
      first.dispose();
      expect(memoryStatistics().cachedBytes).toBe(part);
      second.dispose();
      expect(memoryStatistics().cachedBytes).toBe(2 * part);
      parts(3); // of these, and of what was given back
      expect(memoryStatistics().cachedBytes).toBe(0);
    });
    expect(memoryStatistics().cachedBytes).toBe(3 * part);
    releaseMemory();
  });

  it("does not grow with repeated work of varied sizes", () => {
    work(0);
    const { liveBytes, liveTensors } = memoryStatistics();
    for (let round = 0; round < 100; round++) work(round);
    const after = memoryStatistics();
    expect(after.liveTensors).toBe(liveTensors);
    expect(after.liveBytes).toBe(liveBytes);
    // A quarter of what was in use at once, and the slack.
    expect(after.cachedBytes).toBeLessThanOrEqual(after.peakBytes * 1.25 + 64 * 2 ** 20);
  });

  it("counts large blocks while they are in use, keeps them after, and returns them on demand", () => {
    const before = memoryStatistics().liveBytes;
    scope(() => {
      zeros([1_000_000]);
      expect(memoryStatistics().liveBytes - before).toBeGreaterThanOrEqual(4_000_000);
    });
    expect(memoryStatistics().liveBytes).toBe(before);
    expect(memoryStatistics().cachedBytes).toBeGreaterThan(0);
    releaseMemory();
    expect(memoryStatistics().cachedBytes).toBe(0);
    expect(memoryStatistics().peakBytes).toBe(before);
  });
});

describe("the bridge counts", () => {
  const counted = (body: () => unknown) => {
    resetBridgeCounters();
    body();
    return bridgeCounters();
  };
  const x = tensor([1, 2, 3]);

  it("reads of values on the host", () => {
    expect(counted(() => x.sum().item()).reads).toBe(1);
    expect(counted(() => [x.toArray(), x.toBytes(), x.toFloat32Array()]).reads).toBe(3);
    expect(counted(() => x.equal(x)).reads).toBe(1);
    expect(counted(() => x.mul(2).to({ dtype: "float64", device: "cpu" }).shape).reads).toBe(0);
  });

  it("arrays of the host that become tensors, and moves to another device", () => {
    expect(counted(() => tensor([1, 2], [2], { dtype: "float64" }))).toEqual({
      reads: 0,
      copies: 1,
      copiedBytes: 16,
    });
    const shared = new Float32Array(new SharedArrayBuffer(12));
    expect(counted(() => fromBuffer(shared))).toEqual({ reads: 0, copies: 1, copiedBytes: 12 });
    expect(counted(() => x.to({ device: "meta" }))).toEqual({ reads: 0, copies: 1, copiedBytes: 12 });
    expect(counted(() => zeros([3]).add(x).copy_(x)).copies).toBe(0);
  });
});
