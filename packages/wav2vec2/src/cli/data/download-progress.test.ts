import { expect, it } from "vitest";
import { downloadProgress } from "./download-progress.js";

const id = "facebook/wav2vec2-base";
const total = 400e6;

it("rewrites one line on a terminal and clears it at the end", () => {
  let [text, time] = ["", 0];
  const show = downloadProgress(
    { isTTY: true, columns: 200, write: (part: string) => (text += part) },
    () => time,
  );
  show({ id, received: 100e6, total });
  show({ id, received: 101e6, total }); // too soon to be drawn
  time = 10_000;
  show({ id, received: 200e6, total });
  show({ id, received: total, total });
  expect(text.split("\r\x1b[2K")).toEqual([
    "",
    `Downloading ${id}: 100.0 of 400.0 MB (25 %)`,
    // 100 MB came in 10 s; what an earlier attempt had brought does not count.
    `Downloading ${id}: 200.0 of 400.0 MB (50 %), 10.0 MB/s, time left 20 s`,
    "",
  ]);
});

it("does not take bytes from the disk for the connection's speed", () => {
  let [text, time] = ["", 0];
  const show = downloadProgress({ write: (part: string) => (text += part) }, () => time);
  show({ id, received: 0, resumed: 0, total });
  show({ id, received: 200e6, resumed: 200e6, total });
  time = 10_000;
  show({ id, received: 300e6, resumed: 200e6, total });
  expect(text).toContain("300.0 of 400.0 MB (75 %), 10.0 MB/s, time left 10 s");
});

it("writes plain lines at intervals elsewhere", () => {
  let [text, time] = ["", 0];
  const show = downloadProgress({ write: (part: string) => (text += part) }, () => time);
  for (let received = 0; received <= total; received += 40e6, time += 3000) show({ id, received, total });
  expect(
    text
      .trimEnd()
      .split("\n")
      .map((line) => /\((\d+) %\)/.exec(line)?.[1]),
  ).toEqual(["0", "40", "80", "100"]);
});
