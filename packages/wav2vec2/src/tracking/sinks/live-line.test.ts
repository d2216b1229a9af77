import { EventEmitter } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { terminalProgress } from "./terminal.js";
import { colorsOf, isLive, printable } from "./terminal-style.js";

const ESCAPE = "\u001b";
/** A command and its number, or a character. */
const SEEN = new RegExp(`${ESCAPE}\\[(\\d*)([A-Za-z])|[^${ESCAPE}]`, "g");

/** What a person sees: a terminal that understands what progress lines need, and wraps long lines anew when it is resized. */
class Screen extends EventEmitter {
  readonly isTTY = true;
  /** Lines as they were written, each of as many rows as it needs. */
  #lines: string[] = [""];
  /** Of the cursor: line, and place in it. */
  #line = 0;
  #at = 0;
  raw = "";

  constructor(public columns: number) {
    super();
  }

  write(text: string): boolean {
    this.raw += text;
    for (const part of text.matchAll(SEEN)) this.#take(part[0], part[2], Number(part[1] || 1));
    return true;
  }

  resize(columns: number): void {
    this.columns = columns;
    this.emit("resize");
  }

  /** Rows, without colours and trailing spaces. */
  get rows(): string[] {
    return this.#lines.flatMap((line) => this.#rowsOf(line).map((row) => row.trimEnd()));
  }

  #rowsOf(line: string): string[] {
    const count = Math.max(1, Math.ceil(line.length / this.columns));
    return Array.from({ length: count }, (_, row) =>
      line.slice(row * this.columns, (row + 1) * this.columns),
    );
  }

  #take(text: string, command: string | undefined, count: number): void {
    const line = this.#lines[this.#line]!;
    const start = Math.floor(Math.max(0, this.#at - 1) / this.columns) * this.columns; // of the row
    if (command === undefined && text === "\n") {
      this.#line++;
      this.#at = 0;
      if (this.#line === this.#lines.length) this.#lines.push("");
    } else if (command === undefined && text === "\r") {
      this.#at = start;
    } else if (command === undefined) {
      this.#lines[this.#line] = line.slice(0, this.#at) + text + line.slice(this.#at + 1);
      this.#at++;
    } else if (command === "A") {
      this.#up(count);
    } else if (command === "K") {
      this.#lines[this.#line] = line.slice(0, start);
      this.#at = start;
    } else if (command === "J") {
      this.#lines = [...this.#lines.slice(0, this.#line), line.slice(0, this.#at)];
    }
  }

  #up(rows: number): void {
    for (let row = 0; row < rows; row++) {
      if (this.#at >= this.columns) this.#at -= this.columns;
      else if (this.#line > 0) this.#line--;
    }
  }
}

let open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const tracker of open) await tracker.close();
  open = [];
});

function run(columns = 60, options: { verbosity?: "quiet" | "normal" | "verbose" } = {}) {
  const screen = new Screen(columns);
  let time = 0;
  const tracker = terminalProgress({ steps: 100, stream: screen, now: () => time, ...options });
  open.push(tracker);
  return {
    screen,
    tracker,
    step(step: number, metrics: Record<string, number> = { loss: 2, audio_seconds_per_second: 100 }) {
      time += 1000;
      tracker.log(metrics, step);
    },
  };
}
const gpu = (rank: number, busy: number, gigabytes: number) => ({
  time: 0,
  rank,
  host: "node",
  values: {
    [`gpu.${rank}.gpu`]: busy,
    [`gpu.${rank}.memoryAllocatedBytes`]: gigabytes * 2 ** 30,
    [`gpu.${rank}.temp`]: 60,
  },
});

describe("the progress line", () => {
  it("stays one line, the last, with notes above", () => {
    const { screen, tracker, step } = run();
    step(1);
    step(2);
    tracker.note("A note.");
    step(3);
    expect(screen.rows).toEqual(["A note.", "step 3/100  loss 2.00  time left 1 min 37 s"]);
  });

  it("shows the GPU as soon as it is known, of several the mean and the fullest", () => {
    const { screen, tracker, step } = run(100);
    step(1);
    tracker.system([gpu(0, 97, 62.14)]);
    expect(screen.rows).toEqual([
      "step 1/100  loss 2.00  GPU 97 % 62.1 GB  100 s of audio/s  time left: measuring",
    ]);
    tracker.system([gpu(1, 91, 70)]);
    expect(screen.rows[0]).toContain("2 GPUs 94 % 70.0 GB");
    tracker.system([{ time: 0, rank: 0, host: "node", values: { cpu: 50 } }, gpu(1, 80, 70)]);
    expect(screen.rows[0]).toContain("GPU 80 % 70.0 GB"); // the first does not tell any more
  });

  it("leaves what others write above it, whole lines and parts of lines", () => {
    const { screen, step } = run();
    step(1);
    screen.write("(node:1) Warning: something\n");
    expect(screen.rows.map((row) => row.slice(0, 10))).toEqual(["(node:1) W", "step 1/100"]);
    screen.write("half ");
    screen.write("a line");
    expect(screen.rows.at(-1)).toBe("half a line");
    step(2);
    expect(screen.rows.map((row) => row.slice(0, 11))).toEqual(["(node:1) Wa", "half a line", "step 2/100 "]);
  });

  it("follows a terminal that becomes narrower or wider, and leaves nothing of what was", () => {
    const { screen, tracker, step } = run(70);
    tracker.note("Begin.");
    step(1);
    step(2);
    for (const columns of [30, 12, 45, 70]) {
      screen.resize(columns);
      expect(screen.rows).toHaveLength(2);
      expect(screen.rows[1]?.length).toBeLessThan(columns);
    }
    expect(screen.rows[1]).toBe("step 2/100  loss 2.00  100 s of audio/s  time left 1 min 38 s");
  });

  it("takes a terminal that says no width as one of 80 columns", () => {
    const { screen, step } = run(0);
    step(1);
    expect(screen.raw).toContain("time left: measuring");
  });

  it("is left as it is at the end, and gives the stream back", async () => {
    const { screen, tracker, step } = run();
    const { write } = screen;
    step(1);
    expect(screen.write).not.toBe(write);
    await tracker.close();
    expect(screen.write).toBe(write);
    expect(screen.listenerCount("resize")).toBe(0);
    screen.write("after\n");
    expect(screen.rows.map((row) => row.slice(0, 10))).toEqual(["step 1/100", "after", ""]);
    tracker.system([gpu(0, 97, 62)]); // which comes late
    expect(screen.rows.at(-1)).toBe("");
  });

  it("never rings, whatever a transcript or a note holds, nor lets it move the cursor", () => {
    const { screen, tracker, step } = run();
    step(1);
    tracker.note("bell \u0007 and \u001b[2J\u009b5A gone", { step: 1, name: "odd" });
    tracker.transcripts([{ id: "a", reference: "\u0007A\u001b[31mB", hypothesis: "\rC\u0008" }]);
    for (const command of ["\u0007", "\u0008", "\u009b", `${ESCAPE}[2J`, `${ESCAPE}[31m`])
      expect(screen.raw).not.toContain(command);
    expect(screen.rows.slice(0, 3)).toEqual([
      "bell  and [2J5A gone",
      "  reference   A[31mB",
      "  hypothesis  C",
    ]);
    expect(printable("tab\tand\nline")).toBe("tab\tand\nline");
  });
});

describe("the transcript that is shown", () => {
  const shown = (...hypotheses: string[]): string => {
    let text = "";
    const stream = {
      isTTY: false,
      write: (part: string) => {
        text += part;
      },
    };
    const tracker = terminalProgress({ stream });
    open.push(tracker);
    tracker.transcripts(hypotheses.map((hypothesis, i) => ({ id: `${i}`, reference: "AB", hypothesis })));
    return text;
  };

  it("is the first that is wrong, or the first", () => {
    expect(shown("AB", "AC", "A")).toBe("  reference   AB\n  hypothesis  AC\n");
    expect(shown("AB", "AB")).toBe("  reference   AB\n  hypothesis  AB\n");
    expect(shown()).toBe("");
  });
});

describe("how much is said", () => {
  const say = (verbosity: "quiet" | "normal" | "verbose", isTTY: boolean): string => {
    let text = "";
    const write = (part: string) => {
      text += part;
    };
    const tracker = terminalProgress({ steps: 100, verbosity, now: () => 0, stream: { isTTY, write } });
    open.push(tracker);
    tracker.tell("2 processes.");
    tracker.log({ loss: 2, learning_rate: 0.000123456 }, 10);
    tracker.log({ loss: 1, learning_rate: 0.000123456 }, 20);
    tracker.log({ "eval/wer": 0.5 }, 20);
    tracker.transcripts([{ id: "a", reference: "A", hypothesis: "B" }]);
    tracker.note("Could not be saved.");
    tracker.note("Too hot.", { step: 20, name: "GPU throttles" });
    return text;
  };

  it("quiet: only what is wrong, on a terminal too", () => {
    expect(say("quiet", false)).toBe("Could not be saved.\nToo hot.\n");
    expect(say("quiet", true)).not.toContain("step");
  });

  it("verbose: all metrics of every logging step and validation, a line each", () => {
    expect(
      say("verbose", false)
        .split("\n")
        .filter((line) => line.startsWith("step")),
    ).toEqual([
      "step 10/100  loss 2  learning_rate 0.00012346",
      "step 20/100  loss 1  learning_rate 0.00012346",
      "step 20/100  eval/wer 0.5",
    ]);
    expect(say("verbose", true)).toContain("step 10/100  loss 2  learning_rate 0.00012346\n");
  });

  it("normal: a validation is a line, a logging step only where there is no terminal", () => {
    expect(say("normal", true)).not.toContain("loss 1.00\n");
    expect(say("normal", false)).toContain("step 10/100  loss 2.00");
    expect(say("normal", false)).toContain("step 20: validation WER 50.0 %\n");
  });
});

describe("a terminal", () => {
  const stream = (isTTY: boolean) => ({ isTTY, write() {} });
  it.each([
    ["has colours", true, {}, true],
    ["has none where NO_COLOR is set", true, { NO_COLOR: "1" }, false],
    ["has them where NO_COLOR is empty", true, { NO_COLOR: "" }, true],
    ["has none where it is dumb", true, { TERM: "dumb" }, false],
    ["is none", false, {}, false],
    ["is none, but FORCE_COLOR wants them", false, { FORCE_COLOR: "1" }, true],
    ["has none where FORCE_COLOR is 0", true, { FORCE_COLOR: "0" }, false],
    ["has none where both are set", false, { FORCE_COLOR: "1", NO_COLOR: "1" }, false],
  ])("%s", (_, isTTY, env, has) => {
    expect(colorsOf(stream(isTTY), env).isColorSupported).toBe(has);
    expect(colorsOf(stream(isTTY), env).red("x") !== "x").toBe(has);
  });

  it("is rewritten in place unless it is dumb", () => {
    expect(isLive(stream(true), { TERM: "xterm" })).toBe(true);
    expect(isLive(stream(true), { TERM: "dumb" })).toBe(false);
    expect(isLive(stream(false), { TERM: "xterm" })).toBe(false);
  });
});
