import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CodedClip } from "./coded-clip.js";
import { formatDuration } from "./duration.js";
import { logFile } from "./sinks/log-file.js";
import { metricsFile, readStepLines } from "./sinks/metrics-file.js";
import { terminalProgress } from "./sinks/terminal.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tracking-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const steps = (file = "metrics.jsonl"): number[] =>
  readStepLines(join(directory, file)).map(({ step }) => step);

const clip = (id: string): CodedClip => ({
  id,
  seconds: 0.04,
  waveform: [[-0.5, 0.25]],
  masked: [[1, 2]],
  codes: [
    [3, 1],
    [0, 2],
  ],
  found: [false, true],
});

describe("metricsFile", () => {
  it("writes one object a line with step, time and the metrics", () => {
    metricsFile(directory, { resume: false }).log({ loss: 2, "eval/wer": 0.5 }, 10);
    const [row] = readStepLines(join(directory, "metrics.jsonl"));
    expect(row).toEqual({ step: 10, time: expect.any(Number), loss: 2, "eval/wer": 0.5 });
  });

  it("writes of an utterance what was said and what was heard, without all that an evaluation knows of it", () => {
    const evaluated = { id: "a", reference: "A", hypothesis: "B", seconds: 3, path: "/corpus/a.flac" };
    metricsFile(directory, { resume: false }).transcripts([evaluated], 10);
    expect(readStepLines(join(directory, "transcripts.jsonl"))).toEqual([
      { step: 10, id: "a", reference: "A", hypothesis: "B", audio: "clips/a-7c2d9c78.flac" },
    ]);
  });

  it("drops the lines after the resumed step, and a half-written one", () => {
    const first = metricsFile(directory, { resume: false });
    for (const step of [10, 20, 30, 40]) {
      first.log({ loss: 1 }, step);
      first.transcripts([{ id: "a", reference: "A", hypothesis: "B" }], step);
      first.codebooks([[step, 0]], step);
      first.codedClips([clip("a"), clip("b")], step);
    }
    appendFileSync(join(directory, "metrics.jsonl"), '{"step": 5');
    const second = metricsFile(directory, { resume: true });
    second.log({ loss: 1 }, 30);
    second.transcripts([{ id: "a", reference: "A", hypothesis: "B" }], 30);
    second.codebooks([[7, 1]], 30);
    second.codedClips([clip("c")], 30);
    expect(steps("codebooks.jsonl")).toEqual([10, 20, 30]);
    expect(readStepLines(join(directory, "codebooks.jsonl")).at(-1)).toEqual({ step: 30, counts: [[7, 1]] });
    expect(steps("coded-clips.jsonl")).toEqual([10, 10, 20, 20, 30]);
    expect(readStepLines(join(directory, "coded-clips.jsonl")).at(-1)).toEqual({ step: 30, ...clip("c") });
    expect(steps()).toEqual([10, 20, 30]);
    expect(steps("transcripts.jsonl")).toEqual([10, 20, 30]);
  });

  it("keeps findings, not those of steps that are done anew, nor of another run", () => {
    const finding = (step: number) => ({ step, name: "collapse" });
    const findings = () => readStepLines(join(directory, "findings.jsonl"));
    const first = metricsFile(directory, { resume: false });
    first.log({ loss: 1 }, 10);
    first.note("A remark.");
    first.note("Collapsed.", finding(10));
    first.note("Collapsed again.", finding(30));
    metricsFile(directory, { resume: true }).log({ loss: 1 }, 20);
    expect(findings()).toEqual([{ ...finding(10), text: "Collapsed." }]);
    metricsFile(directory, { resume: false }).log({ loss: 1 }, 10);
    expect(findings()).toEqual([]);
  });

  it("keeps what a resumed run does not repeat: a validation it was stopped in comes anew, its step does not", () => {
    const first = metricsFile(directory, { resume: false });
    for (const step of [10, 20]) {
      first.log({ loss: 1 }, step);
      first.log({ "eval/wer": 1 }, step);
      first.codebooks([[step, 0]], step);
      first.note("Odd.", { step, name: "odd" });
    }
    first.log({ loss: 1 }, 30);
    const second = metricsFile(directory, { resume: true });
    second.resumed!({ step: 20, evaluated: 10 });
    second.log({ "eval/wer": 0.5 }, 20);
    const rows = readStepLines(join(directory, "metrics.jsonl"));
    expect(rows.map(({ step, loss, "eval/wer": wer }) => [step, loss, wer])).toEqual([
      [10, 1, undefined],
      [10, undefined, 1],
      [20, 1, undefined],
      [20, undefined, 0.5],
    ]);
    expect(steps("codebooks.jsonl")).toEqual([10]);
    expect(steps("findings.jsonl")).toEqual([10, 20]);
  });

  it("leaves the file of a finished run that is resumed as it is", () => {
    metricsFile(directory, { resume: false }).log({ loss: 1 }, 10);
    metricsFile(directory, { resume: true });
    expect(steps()).toEqual([10]);
  });

  it("starts anew without resume", () => {
    metricsFile(directory, { resume: false }).log({ loss: 1 }, 10);
    metricsFile(directory, { resume: false }).log({ loss: 1 }, 20);
    expect(steps()).toEqual([20]);
  });

  it("stays readable when a metric is not finite", () => {
    metricsFile(directory, { resume: false }).log({ loss: Number.NaN }, 10);
    expect(readStepLines(join(directory, "metrics.jsonl"))[0]?.loss).toBeNull();
  });
});

describe("logFile", () => {
  it("puts the time before every line and only ever appends", () => {
    logFile(directory).note("one\ntwo");
    logFile(directory).log({ loss: 0.123456789 }, 10);
    logFile(directory).codebooks([[4, 0, 1], [0]], 10);
    const lines = readFileSync(join(directory, "log.txt"), "utf8").trimEnd().split("\n");
    const time = String.raw`^\d{4}-\d\d-\d\dT[\d:.]+Z  `;
    expect(lines).toHaveLength(4);
    const texts = [
      "one",
      "two",
      "step 10: loss 0.12346",
      "step 10: validation chose 2 of 3 entries of codebook 0, 0 of 1 entries of codebook 1",
    ];
    for (const [index, text] of texts.entries()) {
      expect(lines[index]).toMatch(new RegExp(`${time}${text}$`));
    }
  });
});

describe("terminalProgress", () => {
  function run(stream: { isTTY: boolean; columns?: number }, options: { maxMinutes?: number } = {}) {
    let [text, time] = ["", 0];
    const write = (part: string): void => {
      text += part;
    };
    const tracker = terminalProgress({
      steps: 100,
      stream: { ...stream, write },
      now: () => time,
      ...options,
    });
    return {
      tracker,
      wait: (seconds: number) => {
        time += seconds * 1000;
      },
      take: () => {
        const taken = text;
        text = "";
        return taken;
      },
    };
  }

  it("estimates the time left from the steps since it began, also after a resumption", () => {
    const { tracker, wait, take } = run({ isTTY: false });
    tracker.log({ loss: 2 }, 40);
    expect(take()).toBe("step 40/100  loss 2.00  time left: measuring\n");
    wait(20);
    tracker.log({ loss: 1 }, 50);
    expect(take()).toBe("step 50/100  loss 1.00  time left 1 min 40 s\n");
  });

  it("knows the time limit of the run", () => {
    const { tracker, wait, take } = run({ isTTY: false }, { maxMinutes: 1 });
    tracker.log({}, 10);
    wait(20);
    tracker.log({}, 20);
    expect(take()).toContain("time left 40 s");
  });

  it("prints a plain line at intervals only, but every validation", () => {
    const { tracker, wait, take } = run({ isTTY: false });
    for (let step = 1; step <= 20; step++) {
      tracker.log({ loss: 1 }, step);
      wait(1);
    }
    tracker.log({ "eval/wer": 0.25, "eval/cer": 0.125 }, 20);
    const lines = take().trimEnd().split("\n");
    expect(lines.map((line) => line.split("  ")[0])).toEqual([
      "step 1/100",
      "step 11/100",
      "step 20: validation WER 25.0 %, CER 12.5 %",
    ]);
  });

  const pretraining = {
    loss: 4,
    contrastive_loss: 3.914,
    accuracy: 0.2134,
    codevector_perplexity: 214.26,
    audio_seconds_per_second: 131,
  };
  const validation = Object.fromEntries(
    Object.entries({ ...pretraining, contrastive_loss_to_chance: 0.848 }).map(([name, value]) => [
      `eval/${name}`,
      value,
    ]),
  );

  it("shows of pre-training what tells whether it learns", () => {
    const { tracker, take } = run({ isTTY: false });
    tracker.log(pretraining, 10);
    expect(take()).toBe(
      "step 10/100  contrastive loss 3.91  accuracy 21.3 %  perplexity 214.3  131 s of audio/s  time left: measuring\n",
    );
    tracker.log(validation, 10);
    expect(take()).toBe(
      "step 10: validation contrastive loss 3.91 (85 % of chance), accuracy 21.3 %, perplexity 214.3\n",
    );
  });

  it("keeps the time left where not all fits the terminal", () => {
    const { tracker, take } = run({ isTTY: true, columns: 80 });
    tracker.log(pretraining, 10);
    expect(take()).toContain("step 10/100  contrastive loss 3.91  accuracy 21.3 %  time left: measuring");
  });

  it("rewrites one line of a terminal that is never wider than it, and keeps notes", () => {
    const { tracker, take } = run({ isTTY: true, columns: 20 });
    tracker.log({ loss: 1, audio_seconds_per_second: 100 }, 1);
    tracker.note("saved");
    const text = take();
    const escapeCode = String.fromCharCode(27);
    const visible = text.replaceAll(new RegExp(`${escapeCode}\\[[0-9;]*[mK]`, "g"), "");
    expect(visible.split(/[\r\n]/).every((line) => line.length < 20)).toBe(true);
    expect(visible).toContain("\rsaved\n");
  });
});

describe("formatDuration", () => {
  it.each([
    [-3, "0 s"],
    [59.4, "59 s"],
    [59.6, "1 min 00 s"],
    [3599.7, "1 h 00 min"],
    [3900, "1 h 05 min"],
    [86399, "24 h 00 min"],
  ])("%d s is %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));
});
