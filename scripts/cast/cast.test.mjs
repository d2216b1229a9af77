import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { castOf } from "../cast.mjs";
import { framesOf, shortened } from "./frames.mjs";
import { clock } from "./picture.mjs";
import { readRecording, record } from "./recording.mjs";
import { Screen } from "./screen.mjs";

const SIZE = { columns: 90, rows: 22 };
/** Other systems have a `script` of other options. */
const CAN_RECORD = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux");

function directory() {
  const path = mkdtempSync(join(tmpdir(), "cast-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** @param {string} written @param {{ columns?: number, rows?: number }} [size] */
function screenOf(written, { columns = 20, rows = 4 } = {}) {
  const screen = new Screen(columns, rows);
  screen.write(written);
  return screen
    .lines()
    .map((runs) => runs.map(({ text, look }) => (look === "" ? text : `<${look}>${text}`)).join(""));
}

describe("Screen", () => {
  it.each([
    ["lines", "a\r\nb", ["a", "b"]],
    ["a line that is overwritten", "50 %\r100 %", ["100 %"]],
    ["a line that is overwritten in part", "abc\rX", ["Xbc"]],
    ["an erased line", "old text\r\u001b[Knew", ["new"]],
    ["an erased line, whole", "old text\u001b[2K\rnew", ["new"]],
    [
      "looks",
      "\u001b[1mbold\u001b[22m plain \u001b[2mdim\u001b[0m \u001b[32mgreen\u001b[39m",
      ["<b>bold plain <d>dim <2>green"],
    ],
    ["a long line", "0123456789012345678901", ["01234567890123456789", "01"]],
    ["what scrolls out", "1\r\n2\r\n3\r\n4\r\n5", ["2", "3", "4", "5"]],
    ["a cursor that is shown", "\u001b[?25ha", ["a"]],
    ["a column", "abc\u001b[1GX", ["Xbc"]],
  ])("shows %s", (_, written, lines) => {
    expect(screenOf(written)).toEqual(lines);
  });

  it("refuses what it does not know", () => {
    expect(() => screenOf("\u001b[5m")).toThrow(/must be known/);
    expect(() => screenOf("\u001b[2J")).toThrow(/ESC\[2J/);
  });
});

describe("shortened", () => {
  const piece = (/** @type {number} */ seconds, /** @type {string} */ text) => ({ seconds, text });

  it("lets no line take long, and goes evenly within it", () => {
    const times = shortened(
      [piece(1, "a\n"), piece(101, "50 %"), piece(201, "done\n"), piece(202, "b\n")],
      60,
    );
    expect(times).toEqual([1, 2.5, 4, 5]);
  });

  it("fits the whole into the time", () => {
    const pieces = Array.from({ length: 100 }, (_, index) => piece(2 * (index + 1), "line\n"));
    expect(shortened(pieces, 50).at(-1)).toBeCloseTo(50);
  });
});

describe("framesOf", () => {
  it("shows the end, and no two frames alike or too close", () => {
    const pieces = Array.from({ length: 50 }, (_, index) => ({
      seconds: index / 50,
      text: `\r${Math.floor(index / 10)}`,
    }));
    const frames = framesOf([...pieces, { seconds: 3, text: "\r\nend\r\n" }], {
      ...SIZE,
      seconds: 60,
      gap: 0.3,
    });
    expect(
      frames
        .at(-1)
        ?.lines.flat()
        .map(({ text }) => text),
    ).toEqual(["4", "end"]);
    expect(frames.length).toBeLessThan(8);
    for (const [index, { lines }] of frames.entries()) expect(lines).not.toEqual(frames[index - 1]?.lines);
  });
});

describe("clock", () => {
  it("tells minutes", () =>
    expect([clock(7.4), clock(61), clock(600)]).toEqual(["7 s", "1 min 01 s", "10 min 00 s"]));
});

describe("a recording", () => {
  it.skipIf(!CAN_RECORD)("is of a real terminal, and becomes a picture of what was written", async () => {
    const path = directory();
    await record(
      `sh -c 'tput cols 2>/dev/null || stty size; printf "\\033[1mbold\\033[0m <b> grün\\n"; pwd'`,
      path,
      SIZE,
    );
    const text = readRecording(path)
      .map((piece) => piece.text)
      .join("");
    expect(text).toContain("90");
    expect(text).toContain("\u001b[1mbold\u001b[0m <b> grün");
    const picture = castOf(path, "npm run quickstart");
    expect(picture).toContain('<tspan class="b">bold </tspan>');
    expect(picture).toContain("&lt;b&gt; grün");
    expect(picture).toContain("~/wav2vec2");
    expect(picture).not.toContain(process.cwd());
  });

  it("is divided between characters and sequences", () => {
    const path = directory();
    const bytes = Buffer.from("\u001b[1mü€\u001b[0m");
    writeFileSync(join(path, "out"), Buffer.concat([Buffer.from("Script started\n"), bytes]));
    writeFileSync(join(path, "timing"), Array.from(bytes, () => "0.1 1\n").join(""));
    expect(readRecording(path).map(({ text }) => text)).toEqual(["\u001b[1m", "ü", "€", "\u001b[0m"]);
  });

  it.skipIf(!CAN_RECORD)("fails with its command", async () => {
    await expect(record("exit 3", directory(), SIZE)).rejects.toThrow("must succeed, but ended with 3");
    expect(() => readRecording(directory())).toThrow("has no file 'out'");
  });
});

describe("docs/images/quickstart.svg", () => {
  const file = new URL("../../docs/images/quickstart.svg", import.meta.url);

  it("is small, light and dark, and shows how it ends", () => {
    const picture = readFileSync(file, "utf8");
    expect(statSync(file).size).toBeLessThan(150_000);
    expect(picture).toContain("prefers-color-scheme:dark");
    expect(picture).toContain("Done in ");
    expect(picture).toContain("[6/6] Transcripts");
  });
});
