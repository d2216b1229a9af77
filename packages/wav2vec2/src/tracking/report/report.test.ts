import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { clipPath } from "../sinks/clip-path.js";
import { metricsFile } from "../sinks/metrics-file.js";
import { writeReport } from "./report.js";
import { CLIP, type RunFixture, writeRun } from "./run-fixture.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "report-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe("writeReport", () => {
  it("shows the best error rate, curves, the last transcripts and the recipe", async () => {
    const tracker = metricsFile(directory, { resume: false });
    for (const [step, wer] of [
      [10, 0.9],
      [20, 0.0625],
      [30, 0.1],
    ] as const) {
      tracker.log({ loss: 3 - step / 20, learning_rate: 1e-3, grad_norm: 1 }, step);
      tracker.log({ "eval/wer": wer, "eval/cer": wer / 2, "eval/ctc_loss": 4 }, step);
      tracker.transcripts([{ id: `u${step}`, reference: "ONE <TWO>", hypothesis: "ONE TEN" }], step);
    }
    writeFileSync(join(directory, "recipe.yaml"), "max_steps: 30 # <&>\n");
    const html = readFileSync(await writeReport(directory), "utf8");
    expect(html).toContain("<dd>6.25 %</dd>");
    expect(html).toContain("at step 20");
    expect(html.match(/<svg class="chart"/g)).toHaveLength(5);
    expect(html).toContain("u30");
    expect(html).not.toContain("u20");
    expect(html).toContain('<span class="wrong"><i>&lt;TWO&gt;</i><i class="other">TEN</i></span>');
    expect(html).toContain("Hypothesis: ONE TEN");
    expect(html).toContain("max_steps: 30 # &lt;&amp;&gt;");
    expect(html).not.toMatch(/https?:|NaN|undefined|Infinity/);
  });

  it("shows of pre-training loss and accuracy against chance, codebooks and clips", async () => {
    const tracker = metricsFile(directory, { resume: false });
    for (const [step, loss, accuracy] of [
      [10, 4.5, 0.02],
      [20, 3.8, 0.2],
      [30, 3.9, 0.21],
    ] as const) {
      const metrics = {
        loss,
        contrastive_loss: loss,
        contrastive_loss_to_chance: loss / Math.log(101),
        diversity_loss: 0.5,
        accuracy,
        codevector_perplexity: 30,
        codevector_perplexity_0: 10,
        codevector_perplexity_1: 20,
        positive_similarity: 0.5,
        negative_similarity: -0.1,
        gumbel_temperature: 2,
      };
      tracker.log({ ...metrics, learning_rate: 1e-3, grad_norm: 1, audio_seconds_per_second: 50 }, step);
      tracker.log(
        Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`eval/${name}`, value])),
        step,
      );
      tracker.codebooks(
        [
          [step, 0],
          [1, 1],
        ],
        step,
      );
      tracker.codedClips(
        [
          {
            id: `clip${step}`,
            seconds: 0.04,
            waveform: [[-1, 1]],
            masked: [[0, 1]],
            codes: [
              [0, 1],
              [1, 0],
            ],
            found: [true, false],
          },
        ],
        step,
      );
    }
    tracker.log({ contrastive_loss: Number.NaN, accuracy: Number.POSITIVE_INFINITY }, 40);
    const html = readFileSync(await writeReport(directory), "utf8");
    expect(html).toContain("<dd>3.80</dd>");
    expect(html).toContain("82 % of chance, validation at step 20");
    expect(html).toContain("<dd>21.0 %</dd>");
    expect(html).toContain("21.2 times chance, validation at step 30");
    expect(html).toContain("10 + 20, last validation");
    const titles = [...html.matchAll(/<figcaption><b>(.*?)<\/b>/g)].map(([, title]) => title);
    expect(titles).toEqual([
      "Contrastive loss (nats)",
      "Accuracy: targets found",
      "Perplexity in training",
      "Perplexity in validation",
      "Entries in use",
      "Diversity loss",
      "Cosine similarity",
      "Temperature of the Gumbel softmax",
      "Learning rate",
      "Gradient norm",
      "Seconds of audio a second",
      "Codebook 0",
      "Codebook 1",
      "clip30",
    ]);
    expect(html.match(/>chance</g)).toHaveLength(2);
    expect(html).toContain("usual: 0.5 to 2");
    expect(html).not.toMatch(/https?:|NaN|undefined|Infinity/);
  });

  describe("of a collapse", () => {
    const validation = (perplexity: number, accuracy: number) => ({
      "eval/contrastive_loss": 4 * (1 - accuracy),
      "eval/accuracy": accuracy,
      "eval/codevector_perplexity": perplexity,
      "eval/codevector_perplexity_0": perplexity / 2,
      "eval/codevector_perplexity_1": perplexity / 2,
    });
    const html = async (): Promise<string> => readFileSync(await writeReport(directory), "utf8");
    /** Of two codebooks of so many entries. */
    const collapsed = (entries: number) => {
      const tracker = metricsFile(directory, { resume: false });
      for (const [step, perplexity, accuracy] of [
        [10, 12, 0.25],
        [20, 3.9, 1],
      ] as const) {
        tracker.codebooks([Array(entries).fill(1), Array(entries).fill(1)], step);
        tracker.log(validation(perplexity, accuracy), step);
      }
      return tracker;
    };

    it("shows above all else what was found", async () => {
      const tracker = collapsed(320);
      tracker.note("The codebooks <have> collapsed.", { step: 1250, name: "collapse" });
      tracker.note("A remark.");
      const text = await html();
      const place = text.indexOf("<b>Step 1,250</b> The codebooks &lt;have&gt; collapsed.");
      expect(place).toBeGreaterThan(0);
      expect(place).toBeLessThan(text.indexOf('class="tiles"'));
      expect(text).not.toContain("Last validation");
      expect(text).not.toContain("A remark.");
    });

    it("says it of the last validation where it was not found before, and takes none for the best", async () => {
      collapsed(320);
      const text = await html();
      expect(text).toMatch(/<b>Last validation<\/b> The codebooks have collapsed/);
      expect(text).toContain("<dd>25.0 %</dd>");
      expect(text).not.toContain("<dd>100.0 %</dd>");
    });

    it("takes no codebooks of few entries for collapsed", async () => {
      collapsed(19);
      const text = await html();
      expect(text).not.toContain('class="findings"');
      expect(text).toContain("<dd>100.0 %</dd>");
    });

    it("says nothing where all is well", async () => {
      metricsFile(directory, { resume: false }).log(validation(12, 0.25), 10);
      expect(await html()).not.toContain('class="findings"');
    });
  });

  describe("of this version's run directory", () => {
    const write = async (fixture: Partial<RunFixture> = {}): Promise<string> => {
      const run = writeRun(directory, { name: "mine", seed: 1, wer: [0.5, 0.25], ...fixture });
      return readFileSync(await writeReport(run), "utf8");
    };
    const facts = (html: string) =>
      Object.fromEntries(
        [...html.matchAll(/<div(?: class="wide")?><dt>([^<]*)<\/dt><dd>([^<]*)<\/dd><\/div>/g)].map(
          ([, name, value]) => [name, value],
        ),
      );

    it("says what the run was, where, and how it ended", async () => {
      const html = await write({ run: { state: "failed", reason: "The disk is full." } });
      expect(html).toContain(
        '<p class="about">fine-tuning · failed · began 2026-01-02 03:04 UTC · node1</p>',
      );
      expect(facts(html)).toMatchObject({
        State: "failed: The disk is full.",
        Steps: "200 of 900",
        Began: "2026-01-02 03:04 UTC",
        Device: "cuda:0",
        Processes: "2",
        Parameters: "1,234,567, of which 1,000,000 are trained",
        Command: "wav2vec2 finetune --run-name 'it'\\''s &lt;mine&gt;'",
      });
    });

    it("tells a process that is gone from one that runs", async () => {
      const here = { state: "running", host: hostname() } as const;
      expect(facts(await write({ run: { ...here, pid: process.pid } })).State).toBe("running");
      const gone = spawnSync(process.execPath, ["--version"]).pid;
      expect(facts(await write({ run: { ...here, pid: gone } })).State).toBe("ended without a word");
      expect(facts(await write({ run: { ...here, host: "elsewhere", pid: gone } })).State).toBe("running");
    });

    it("plays the clips of the last validation, from the run's own files alone", async () => {
      const html = await write();
      expect(html.match(/data:audio\/flac;base64,ZkxhQ/g)).toHaveLength(1);
      expect(html).toContain(`data-clip="${clipPath(CLIP)}"`);
      const run = join(directory, "mine");
      const secret = join(directory, "secret.flac");
      writeFileSync(secret, readFileSync(join(run, clipPath(CLIP))));
      symlinkSync(secret, join(run, "clips/link.flac"));
      writeFileSync(join(run, "clips/text.flac"), "not audio");
      const lines = [
        "../secret.flac",
        "clips/../../secret.flac",
        secret,
        "clips/link.flac",
        "clips/text.flac",
        7,
      ];
      writeFileSync(
        join(run, "transcripts.jsonl"),
        lines
          .map((audio) => `${JSON.stringify({ step: 1, id: "a", reference: "A", hypothesis: "A", audio })}\n`)
          .join(""),
      );
      const other = readFileSync(await writeReport(run), "utf8");
      expect(other).not.toContain("data:audio");
      expect(other).not.toContain('class="play"');
      expect(other).toContain("0 clips can be played; 5 more did not fit or cannot be read.");
    });

    it("draws what the machines did, each GPU and process, and leaves out swapping where there was none", async () => {
      const run = writeRun(directory, { name: "mine", seed: 1, wer: [0.5] });
      const files = metricsFile(run, { resume: true });
      for (const second of [0, 30, 60])
        files.system(
          [0, 1].map((rank) => ({
            time: 1e12 + second * 1000,
            rank,
            host: "node1",
            values: {
              cpu: 50 + rank,
              ...(rank === 0 && {
                "cpu.machine": 80,
                "swap.inMB": 7,
                "gpu.0.throttledByHeat": second === 30 ? 1 : 0,
              }),
              "proc.memory.rssMB": 2000 * (rank + 1),
              [`gpu.${rank}.temp`]: 60 + rank,
              "network.sent": second * 5e6,
            },
          })),
          second,
        );
      files.close();
      const html = readFileSync(await writeReport(run), "utf8");
      const machine = html.slice(html.indexOf("<h2>Machine</h2>"));
      const described = [...machine.matchAll(/<desc>(.*?)<\/desc>/g)].map(([, text]) => text!);
      expect(described.map((text) => text.split(" by ")[0])).toEqual([
        "GPU temperature (°C)",
        "GPU throttled (1: yes)",
        "CPU of the machine (%)",
        "CPU of the process (%)",
        "Memory of the process (GB)",
        "Network (MB/s)",
      ]);
      expect(described[0]).toContain("GPU 0: 60 at minutes 0, 60 at minutes 1;");
      expect(described[0]).toContain("GPU 1: 61 at");
      expect(described[1]).toContain(
        "GPU 0 heat: 0 at minutes 0, 0 at minutes 1; lowest 0 at minutes 0, highest 1 at minutes 0.5.",
      );
      expect(described[2]).toContain("value: 80 at minutes 0");
      expect(described[3]).toContain("rank 0: 50 at minutes 0");
      expect(described[3]).toContain("rank 1: 51 at minutes 0");
      expect(described[4]).toContain("rank 1: 4 at minutes 0");
      expect(described[5]).toContain("sent: 5 at minutes 0.5, 5 at minutes 1;");
    });

    it("draws histograms, of one kind together", async () => {
      const run = writeRun(directory, { name: "mine", seed: 1, wer: [0.5] });
      const files = metricsFile(run, { resume: true });
      const histogram = { edges: [-1, 0, 3], counts: [5, 1] };
      for (const step of [100, 200])
        files.histograms({ "weights/a": histogram, "weights/b<": histogram, "gradients/a": histogram }, step);
      files.close();
      const html = readFileSync(await writeReport(run), "utf8");
      expect(html).toContain("<summary>weights: 2</summary>");
      expect(html).toContain("<summary>gradients: 1</summary>");
      expect(html).toContain('alt="weights/b&lt; between -1 and 3, step 100 to 200"');
    });

    it("says how many lines cannot be read, but nothing of one that is being written", async () => {
      const run = writeRun(directory, { name: "mine", seed: 1, wer: [0.5] });
      appendFileSync(join(run, "metrics.jsonl"), '\u0000\u0000\n[1]\n{"step":2,"lo');
      writeFileSync(join(run, "recipe.yaml"), "a: [1");
      writeFileSync(join(run, "run.json"), '{"name": "mi');
      const html = readFileSync(await writeReport(run), "utf8");
      expect(html).toContain("metrics.jsonl: 2 lines of it cannot be read.");
      expect(html).toContain("<dd>50.0 %</dd>");
      expect(html).toContain("<h1>mine</h1>");
      expect(html).toContain("a: [1");
    });
  });

  it("can be written for a run that has not logged anything", async () => {
    const html = readFileSync(await writeReport(directory), "utf8");
    expect(html).toContain("No metrics yet.");
    expect(html).not.toMatch(/NaN|undefined/);
  });
});
