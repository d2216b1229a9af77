import { describe, expect, it } from "vitest";
import type { SystemReading } from "../system-reading.js";
import { MachineWatch } from "./machine-watch.js";
import type { Seen } from "./seen.js";

const HOUR = 3600;
const GB = 2 ** 30;
/** A run with ten hours to go, whose checkpoints take 3 GB. */
const RUN: Seen["run"] = {
  secondsLeft: 10 * HOUR,
  savesLeft: 20,
  keepCheckpoints: 2,
  modelBytes: GB,
  checkpointBytes: 3 * GB,
  waitShare: 0.02,
  workers: 2,
};

type Values = (index: number) => Record<string, number>;
interface Machine {
  values: Values;
  rank?: number;
  host?: string;
}

/** What is said of readings every 15 seconds, each with the index of the reading at which it was. */
function said(
  machines: Values | readonly Machine[],
  { count = 40, run = {}, each = 1 }: { count?: number; run?: Partial<Seen["run"]>; each?: number } = {},
): { at: number; name: string; text: string }[] {
  const all = typeof machines === "function" ? [{ values: machines }] : machines;
  const watch = new MachineWatch();
  const out: { at: number; name: string; text: string }[] = [];
  for (let index = 0; index < count; index += each) {
    const readings = all.flatMap(({ values, rank = 0, host = "node" }) =>
      Array.from({ length: each }, (_, more): SystemReading => {
        const at = index + more;
        return { time: 1.8e12 + at * 15_000, rank, host, values: values(at) };
      }),
    );
    for (const trouble of watch.look(readings, { ...RUN, ...run })) out.push({ at: index, ...trouble });
  }
  return out;
}
const names = (all: { name: string }[]): string[] => all.map(({ name }) => name);

const HEALTHY = {
  memory_percent: 55,
  "swap.inMB": 0,
  "swap.outMB": 0,
  "disk./data.freeGB": 200,
  "run.modelsGB": 0,
  "gpu.0.gpu": 96,
  "gpu.0.temp": 70,
  "gpu.0.throttledByHeat": 0,
  "gpu.0.throttledByPowerBrake": 0,
  "gpu.0.throttledByPowerCap": 1, // as it should be
};

it("nothing is said of a healthy machine, nor of one that tells nothing", () => {
  expect(said(() => HEALTHY, { count: 300 })).toEqual([]);
  expect(said(() => ({}), { run: { waitShare: 0.9 } })).toEqual([]);
});

describe("a GPU that slows itself down", () => {
  const hot = (isHot: (index: number) => boolean): Values => {
    return (index) => ({ ...HEALTHY, "gpu.0.temp": 89, "gpu.0.throttledByHeat": Number(isHot(index)) });
  };

  it("is named with its temperature, once", () => {
    const all = said(hot((index) => index >= 10));
    expect(names(all)).toEqual(["GPU throttles"]);
    expect(all[0]).toMatchObject({
      at: 12,
      text: expect.stringContaining("GPU 0 has slowed itself down, as it is too hot (89 °C)"),
    });
  });

  it("is not for a moment's heat, its power limit or idleness", () => {
    expect(said(hot((index) => index % 4 === 0))).toEqual([]);
    expect(said(() => ({ ...HEALTHY, "gpu.0.throttledByPowerCap": 1 }))).toEqual([]);
  });

  it("is said again where it comes back after it was over, not where it flickers", () => {
    const over = said(
      hot((index) => index < 20 || index >= 120),
      { count: 200 },
    );
    expect(over.map(({ at }) => at)).toEqual([2, 122]);
    expect(
      said(
        hot((index) => index % 20 < 12),
        { count: 200 },
      ),
    ).toHaveLength(1);
  });

  it("may be told to by the power supply, which is another trouble", () => {
    const all = said((index) => ({
      ...HEALTHY,
      "gpu.0.throttledByHeat": Number(index > 5),
      "gpu.0.throttledByPowerBrake": Number(index < 5),
    }));
    expect(all.map(({ text }) => /power brake|too hot/.exec(text)?.[0])).toEqual(["power brake", "too hot"]);
  });

  it("has the name of its host among several, and each is said of", () => {
    const all = said([
      { values: () => HEALTHY },
      { values: hot(() => true), rank: 1, host: "left" },
      { values: hot(() => true), rank: 2, host: "right" },
    ]);
    expect(all.map(({ text }) => /GPU 0 of (\w+)/.exec(text)?.[1])).toEqual(["left", "right"]);
  });
});

describe("a GPU with nothing to do", () => {
  const idle: Values = () => ({ ...HEALTHY, "gpu.0.gpu": 12 });

  it("is said where training waits for audio, with the remedy", () => {
    const all = said(idle, { run: { waitShare: 0.7, workers: 1 } });
    expect(names(all)).toEqual(["GPU idle"]);
    expect(all[0]?.at).toBe(8); // two minutes
    expect(all[0]?.text).toContain(
      "computes 12 % of the time, as training waits for audio 70 % of it. Raise data.workers (now 1)",
    );
  });

  it("is not said where it waits for something else, nor where it computes all the same", () => {
    expect(said(idle, { run: { waitShare: 0.05 } })).toEqual([]);
    expect(said(idle, { run: { waitShare: Number.NaN } })).toEqual([]);
    expect(said(() => HEALTHY, { run: { waitShare: 0.7 } })).toEqual([]);
    expect(
      said((index) => ({ ...HEALTHY, "gpu.0.gpu": index % 2 ? 5 : 95 }), { run: { waitShare: 0.4 } }),
    ).toEqual([]);
  });

  it("is one thing, however many GPUs wait", () => {
    const machines = [0, 1, 2].map((rank) => ({ rank, host: `node-${rank}`, values: idle }));
    expect(said(machines, { run: { waitShare: 0.6 } })).toHaveLength(1);
  });
});

describe("a machine that swaps", () => {
  it("is said where pages come and go all the time", () => {
    const all = said((index) => ({ ...HEALTHY, "swap.inMB": 40 * index, "swap.outMB": 50 * index }));
    expect(names(all)).toEqual(["swapping"]);
    expect(all[0]).toMatchObject({ at: 4, text: expect.stringContaining("moves at least 6.0 MB/s") });
  });

  it("is not said where pages went out once, or a few at a time, or lie there", () => {
    const once: Values = (index) => ({
      ...HEALTHY,
      "swap.outMB": Math.min(3000, Math.max(0, index - 5) * 1000),
    });
    expect(said(once)).toEqual([]);
    expect(said((index) => ({ ...HEALTHY, "swap.inMB": index }))).toEqual([]);
    expect(said(() => ({ ...HEALTHY, "swap.usedMB": 9000, "swap.outMB": 9000 }))).toEqual([]);
  });
});

describe("a memory that is nearly full", () => {
  it("is said with what is left and what this process has", () => {
    const all = said((index) => ({
      ...HEALTHY,
      memory_percent: Math.min(97.5, 80 + index),
      "proc.memory.availableMB": 640.4,
      "proc.memory.rssMB": 20_000,
    }));
    expect(names(all)).toEqual(["memory"]);
    expect(all[0]?.at).toBe(18);
    expect(all[0]?.text).toContain("97.5 % is used, 640 MB are left (this process: 20000 MB)");
  });

  it("is not said of one that is well used, nor of a moment", () => {
    expect(said(() => ({ ...HEALTHY, memory_percent: 94 }))).toEqual([]);
    expect(said((index) => ({ ...HEALTHY, memory_percent: index % 3 === 0 ? 99 : 90 }))).toEqual([]);
  });
});

describe("a disk that will be full", () => {
  /** @param gone GB that are used besides the run's models */
  const disk = (
    free: number,
    gone: (index: number) => number,
    models: (index: number) => number = () => 8,
  ): Values => {
    return (index) => ({
      ...HEALTHY,
      "disk./data.freeGB": free - gone(index) - models(index),
      "run.modelsGB": models(index),
    });
  };

  it("is said with the hours, from what grows besides the checkpoints", () => {
    const all = said(
      disk(60, (index) => index * 0.1),
      { count: 60 },
    );
    expect(names(all)).toEqual(["disk"]);
    expect(all[0]?.at).toBe(40); // ten minutes
    expect(all[0]?.text).toMatch(
      /^The disk at \/data will be full in about 1 h \d\d min, before the run is through \(10 h 00 min\): .* grows by 25.8 GB an hour/,
    );
  });

  it("is not said where the run is through before, or the pace is not known yet", () => {
    const growing = disk(60, (index) => index * 0.1);
    expect(said(growing, { count: 60, run: { secondsLeft: 0.5 * HOUR } })).toEqual([]);
    expect(said(growing, { count: 60, run: { secondsLeft: Number.NaN } })).toEqual([]);
  });

  it("is not said of checkpoints that come until there are as many as are kept", () => {
    const saving = disk(
      40,
      () => 0,
      (index) => Math.min(9, 3 * Math.floor(index / 12)) + (index > 12 ? 2 : 0),
    );
    expect(said(saving, { count: 120 })).toEqual([]);
  });

  it("is not said of something large that came at once, nor of what goes up and down", () => {
    expect(
      said(
        disk(100, (index) => (index > 20 ? 50 : 0)),
        { count: 120 },
      ),
    ).toEqual([]);
    expect(
      said(
        disk(60, (index) => (index % 20) * 0.5),
        { count: 120 },
      ),
    ).toEqual([]);
  });

  it("is said at once where the next checkpoint does not fit, or those that are kept do not", () => {
    const [next] = said(
      disk(
        10.5,
        () => 0,
        () => 8,
      ),
    );
    expect(next).toMatchObject({ at: 0, name: "disk" });
    expect(next?.text).toContain("full with the next checkpoint: it needs 3.22 GB, and 2.68 GB are free");
    const [kept] = said(
      disk(
        9,
        () => 0,
        () => 0,
      ),
    );
    expect(kept?.text).toContain("its checkpoints and models still need 11.8 GB, and 9.66 GB are free");
  });

  it("is not said where nothing more will be written", () => {
    expect(
      said(
        disk(
          10.5,
          () => 0,
          () => 8,
        ),
        { run: { savesLeft: 0, modelBytes: 0 } },
      ),
    ).toEqual([]);
  });
});

it("readings that come many at once are judged as those that come one by one", () => {
  const values: Values = (index) => ({ ...HEALTHY, "swap.inMB": 40 * index, memory_percent: 98 });
  expect(names(said(values, { each: 10 })).sort()).toEqual(["memory", "swapping"]);
});
