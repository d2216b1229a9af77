import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { Watchdog } from "./watchdog.js";
import { PRETRAINING_FINDINGS } from "./watchdog-findings.js";

interface Columns {
  step: number[];
  [metric: string]: number[];
}

/** Metrics of real runs of a small model with 2 x 320 entries, every 10 steps. */
const SEQUENCES: Record<
  string,
  { run: string; warmupSteps: number; maxSteps: number; training: Columns; validation: Columns }
> = JSON.parse(readFileSync(new URL("watchdog-sequences.json", import.meta.url), "utf8"));

interface Row {
  step: number;
  metrics: Record<string, number>;
}

const OPTIONS = {
  negatives: 100,
  entries: 640,
  groups: 2,
  warmupSteps: 100,
  maxSteps: 4000,
  maxGradNorm: 1,
};

/** A training row as a healthy run's. */
const HEALTHY = {
  loss: 3.7,
  contrastive_loss: 3.6,
  accuracy: 0.2,
  codevector_perplexity: 200,
  codevector_perplexity_0: 100,
  codevector_perplexity_1: 100,
  mask_share: 0.49,
  grad_norm: 1.2,
  learning_rate: 5e-4,
  audio_seconds: 100,
  data_wait_share: 0.01,
};

function rowsOf(columns: Columns, prefix = ""): Row[] {
  return columns.step.map((step, index) => {
    const entries = Object.entries(columns).filter(([name]) => name !== "step");
    const metrics = Object.fromEntries(entries.map(([name, values]) => [`${prefix}${name}`, values[index]!]));
    const groups = [metrics.codevector_perplexity_0, metrics.codevector_perplexity_1];
    if (groups[0] === undefined) return { step, metrics };
    return { step, metrics: { ...metrics, codevector_perplexity: groups[0] + groups[1]! } };
  });
}

/** A run's rows as logging every `every` steps would have shown them: `every / 10` averaged. */
function recorded(name: string, every = 10): { watchdog: Watchdog; rows: Row[] } {
  const { training, validation, warmupSteps, maxSteps } = SEQUENCES[name]!;
  const all = rowsOf(training);
  const size = every / 10;
  const merged = Array.from({ length: Math.floor(all.length / size) }, (_, index): Row => {
    const part = all.slice(index * size, (index + 1) * size);
    const mean = (key: string) => part.reduce((sum, { metrics }) => sum + metrics[key]!, 0) / size;
    return {
      step: part.at(-1)!.step,
      metrics: Object.fromEntries(Object.keys(part[0]!.metrics).map((key) => [key, mean(key)])),
    };
  });
  const rows = [...merged, ...rowsOf(validation, "eval/")].sort((a, b) => a.step - b.step);
  return { watchdog: new Watchdog({ ...OPTIONS, warmupSteps, maxSteps }), rows };
}

/** What is said, as names of findings and the steps at which they were said. */
function watch(watchdog: Watchdog, rows: readonly Row[]): { name: string; step: number; text: string }[] {
  return rows.flatMap(({ step, metrics }) =>
    watchdog.look(metrics, step).map(({ name, text }) => {
      const finding = PRETRAINING_FINDINGS.find(({ opening }) => text.startsWith(opening));
      expect(name).toBe(finding?.name);
      return { name, step, text };
    }),
  );
}

function names(said: readonly { name: string }[]): string[] {
  return said.map(({ name }) => name);
}

/** Rows every 10 steps that differ from a healthy run's. */
function rows(count: number, change: (step: number) => Record<string, number>): Row[] {
  return Array.from({ length: count }, (_, index) => {
    const step = 10 * (index + 1);
    return { step, metrics: { ...HEALTHY, ...change(step) } };
  });
}

const EVERY = [10, 20, 50];

describe("recorded runs", () => {
  const healthy = ["healthy digits", "healthy LibriSpeech"];

  it.each(healthy.flatMap((name) => EVERY.map((every) => ({ name, every }))))(
    "$name, logged every $every steps: nothing is said, whatever step it resumes at",
    ({ name, every }) => {
      const { rows } = recorded(name, every);
      for (let start = 0; start < rows.length; start++) {
        expect(watch(recorded(name, every).watchdog, rows.slice(start))).toEqual([]);
      }
    },
  );

  // `onset`: the last step before it shows.
  const faults = [
    { name: "collapse at learning rate 2e-2", onset: 10, first: "collapse" },
    { name: "collapse of LibriSpeech", onset: 350, first: "few entries" },
    { name: "few clips", onset: 100, first: "few entries" },
    { name: "silent audio", onset: 0, first: "collapse" },
    { name: "tiny mask", onset: 0, first: "mask share" },
  ];

  it.each(faults)("$name: $first, within 100 steps", ({ name, onset, first }) => {
    for (const every of EVERY) {
      const { watchdog, rows } = recorded(name, every);
      const said = watch(watchdog, rows);
      expect(said[0]!.step - onset, `logged every ${every}`).toBeLessThanOrEqual(100);
      expect(said[0]!.step).toBeGreaterThan(onset);
      if (every === 10) expect(said[0]!.name).toBe(first);
      expect(new Set(names(said)).size).toBe(said.length);
    }
  });

  it("a run that resumes collapsed is told so again", () => {
    const { watchdog, rows } = recorded("collapse of LibriSpeech");
    const said = watch(
      watchdog,
      rows.filter(({ step }) => step > 460),
    );
    expect(names(said)).toEqual(["collapse"]);
  });

  it("learning rate 1e-7: at chance, as soon as 250 steps were seen", () => {
    const { watchdog, rows } = recorded("learning rate 1e-7");
    const said = watch(watchdog, rows);
    expect(said).toEqual([expect.objectContaining({ name: "frozen", step: 260 })]);
    expect(said[0]!.text).toMatch(/for 250 steps it has stood at 4\.6\d, 1(\.01)? of chance \(4\.62\)/);
  });
});

describe("collapsed codebooks", () => {
  it("one codebook of two", () => {
    const said = watch(
      new Watchdog(OPTIONS),
      rows(30, (step) =>
        step > 100
          ? { codevector_perplexity: 91.1, codevector_perplexity_0: 1.1, codevector_perplexity_1: 90 }
          : {},
      ),
    );
    expect(names(said)).toEqual(["collapse"]);
    expect(said[0]!.text).toContain("codevector_perplexity_0 is 1.1 of 320");
    expect(said[0]!.step - 100).toBeLessThanOrEqual(100);
  });

  it("a passing low is not said", () => {
    const low = { codevector_perplexity: 3, codevector_perplexity_0: 1.4, codevector_perplexity_1: 1.6 };
    expect(
      watch(
        new Watchdog(OPTIONS),
        rows(40, (step) => (step > 100 && step <= 120 ? low : {})),
      ),
    ).toEqual([]);
  });

  it("the first row behind a resume does not stand for all steps before", () => {
    const low = { codevector_perplexity: 3, codevector_perplexity_0: 1.4, codevector_perplexity_1: 1.6 };
    const resumed = rows(100, (step) => (step <= 510 ? low : {})).filter(({ step }) => step > 500);
    expect(watch(new Watchdog(OPTIONS), resumed)).toEqual([]);
  });

  it("with small codebooks a low perplexity is natural", () => {
    const small = { ...OPTIONS, entries: 16 };
    const few = { codevector_perplexity: 4, codevector_perplexity_0: 2, codevector_perplexity_1: 2 };
    expect(
      watch(
        new Watchdog(small),
        rows(40, () => few),
      ),
    ).toEqual([]);
  });
});

describe("loss at chance", () => {
  const noisy = (step: number) => ({ contrastive_loss: 4.65 + (step % 30) / 1000, accuracy: 0.01 });

  it("is waited for longer where warm-up is longer", () => {
    const first = (warmupSteps: number) =>
      watch(new Watchdog({ ...OPTIONS, warmupSteps, maxSteps: 400_000 }), rows(1000, noisy))[0]?.step;
    expect(first(100)).toBe(260); // 250 steps behind the first row
    expect(first(4000)).toBe(1010);
    expect(first(32_000)).toBe(8010);
  });

  it("is not said where the loss moves, however slowly", () => {
    const slow = (step: number) => ({ contrastive_loss: 4.66 - step * 0.0003, accuracy: 0.02 });
    expect(watch(new Watchdog(OPTIONS), rows(400, slow))).toEqual([]);
  });

  it("is said of a model that was destroyed late", () => {
    const said = watch(
      new Watchdog(OPTIONS),
      rows(200, (step) => (step > 1000 ? noisy(step) : {})),
    );
    expect(names(said)).toEqual(["frozen"]);
    expect(said[0]!.text).toContain("now 0.0005");
  });
});

describe("false success", () => {
  it.each([
    ["few entries", { codevector_perplexity: 25 }, "25 of 640"],
    ["hardly a masked frame", { mask_share: 0.03 }, "mask_share is 3 %"],
  ])("%s", (_, change, words) => {
    const said = watch(
      new Watchdog(OPTIONS),
      rows(40, () => ({ accuracy: 0.97, contrastive_loss: 0.1, ...change })),
    );
    expect(said.find(({ name }) => name === "false success")?.text).toContain(words);
  });

  it("a jump", () => {
    const said = watch(
      new Watchdog(OPTIONS),
      rows(80, (step) => (step > 500 ? { accuracy: 0.9 } : {})),
    );
    expect(names(said)).toEqual(["false success"]);
    expect(said[0]!.step).toBeLessThanOrEqual(600);
  });

  it("is not said of an accuracy that was earned", () => {
    expect(
      watch(
        new Watchdog(OPTIONS),
        rows(400, (step) => ({ accuracy: 0.2 + step / 6000 })),
      ),
    ).toEqual([]);
  });
});

describe("gradient norm", () => {
  it.each([
    ["large", 3.1, "batch is too small"],
    ["small", 0.2, "teach slowly"],
  ])("%s for long after warm-up", (_, norm, words) => {
    const said = watch(
      new Watchdog(OPTIONS),
      rows(100, () => ({ grad_norm: norm })),
    );
    expect(names(said)).toEqual(["gradient norm"]);
    expect(said[0]!.text).toContain(words);
    expect(said[0]!.step).toBe(600); // 500 steps behind warm-up
  });

  it("outside for a while, or in single steps, is not said", () => {
    const wild = (step: number) => ({ grad_norm: step % 30 === 0 ? 40 : step < 600 ? 3 : 1.2 });
    expect(watch(new Watchdog({ ...OPTIONS, warmupSteps: 500 }), rows(300, wild))).toEqual([]);
  });
});

describe("validation", () => {
  const run = (held: readonly number[], learned: readonly number[]) =>
    held.flatMap((loss, index) => [
      ...rows(10, () => ({ contrastive_loss: learned[index]! })).map(({ step, metrics }) => ({
        step: 100 * index + step,
        metrics,
      })),
      { step: 100 * (index + 1), metrics: { "eval/contrastive_loss": loss, "eval/accuracy": 0.2 } },
    ]);

  it("gets worse while training gets better", () => {
    const said = watch(new Watchdog(OPTIONS), run([3.5, 3.3, 3.4, 3.5, 3.6], [3.5, 3.3, 3.1, 2.9, 2.7]));
    expect(said).toEqual([expect.objectContaining({ name: "memorising", step: 500 })]);
    expect(said[0]!.text).toContain("3 validations ago its contrastive loss was 3.3, now it is 3.6");
  });

  it("that gets worse with training is not memorising", () => {
    expect(watch(new Watchdog(OPTIONS), run([3.5, 3.3, 3.4, 3.5, 3.6], [3.5, 3.3, 3.4, 3.5, 3.6]))).toEqual(
      [],
    );
  });

  it("that is not a number is passed over", () => {
    const held = [Number.NaN, 3.5, 3.3, 3.4, Number.NaN, 3.5, 3.6];
    const said = watch(new Watchdog(OPTIONS), run(held, [3.6, 3.5, 3.3, 3.1, 3, 2.9, 2.7]));
    expect(names(said)).toEqual(["memorising"]);
  });
});

describe("other metrics", () => {
  it.each([
    ["data wait", { data_wait_share: 0.4 }, "40 %"],
    ["mask share", { mask_share: 0.06 }, "0.65"],
    ["mask share", { mask_share: 0.97 }, "min_seconds"],
    ["loss scale", { loss_scale: 0.0625 }, "bfloat16"],
  ])("%s: %o", (name, change, words) => {
    const said = watch(
      new Watchdog(OPTIONS),
      rows(40, () => change),
    );
    expect(names(said)).toEqual([name]);
    expect(said[0]!.text).toContain(words);
  });
});

describe("how often", () => {
  const collapsed = { codevector_perplexity: 2, codevector_perplexity_0: 1, codevector_perplexity_1: 1 };

  it("once while it lasts or flickers, and again where it comes back after long", () => {
    const flickers = rows(600, (step) =>
      step < 2000 ? (step % 300 < 100 ? {} : collapsed) : step < 4000 ? {} : collapsed,
    );
    const said = watch(new Watchdog(OPTIONS), flickers);
    expect(names(said)).toEqual(["collapse", "collapse"]);
    expect(said[1]!.step).toBeGreaterThan(4000);
  });

  it("every finding at most once where a run goes from bad to worse", () => {
    for (let seed = 0; seed < 30; seed++) {
      const random = new Random(seed);
      const [loss, accuracy, perplexity, norm, mask] = Array.from(
        { length: 5 },
        () => 1 + 60 * random.uniform(),
      );
      const worse = rows(500, (step) => ({
        contrastive_loss: 4.615 - (step > 2000 ? 4.6 * Math.min(1, step / (100 * loss!)) : 0),
        accuracy: Math.min(1, step / (80 * accuracy!)),
        codevector_perplexity: 2 + 600 * Math.exp(-step / (10 * perplexity!)),
        codevector_perplexity_0: 1 + 300 * Math.exp(-step / (10 * perplexity!)),
        codevector_perplexity_1: 1 + 300 * Math.exp(-step / (10 * perplexity!)),
        grad_norm: norm! / 10,
        mask_share: 0.5 * Math.exp(-step / (100 * mask!)),
      }));
      const said = names(watch(new Watchdog(OPTIONS), worse));
      expect(said.length).toBeGreaterThan(0);
      expect(new Set(said).size).toBe(said.length);
    }
  });

  it("whatever is missing or not finite, it neither throws nor says so", () => {
    expect(new Watchdog(OPTIONS).look({}, 0)).toEqual([]);
    const random = new Random(7);
    const values = [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      0,
      -1,
      1e-30,
      0.5,
      2,
      4.6,
      640,
      1e30,
    ];
    const keys = [...Object.keys(HEALTHY), "loss_scale", "unheard_of"];
    for (let round = 0; round < 200; round++) {
      const watchdog = new Watchdog(OPTIONS);
      for (let step = 0; step < 3000; step += 100) {
        const prefix = random.uniform() < 0.2 ? "eval/" : "";
        const metrics = Object.fromEntries(
          keys
            .filter(() => random.uniform() < 0.6)
            .map((key) => [`${prefix}${key}`, values[Math.floor(random.uniform() * values.length)]!]),
        );
        for (const { text } of watchdog.look(metrics, step))
          expect(text).not.toMatch(/NaN|Infinity|undefined/);
      }
    }
  });
});

it("docs/pretraining-troubles.md explains every finding under its own words", () => {
  const guide = readFileSync(new URL("../../../../../docs/pretraining-troubles.md", import.meta.url), "utf8");
  for (const { opening } of PRETRAINING_FINDINGS) expect(guide).toContain(opening);
});
