import { expect, it } from "vitest";
import { sentenceNote } from "./sentence-note.js";

it("advises to go by characters where transcripts have no spaces, unless a metric was chosen", () => {
  const held = [{ id: "1", path: "1.flac", samples: 16000, seconds: 1, text: "昨日は雨が降っていました" }];
  const metric_for_best_model = undefined;
  expect(sentenceNote({ metric_for_best_model }, held)).toMatch(
    /1 of 1 references.*--metric-for-best-model cer/,
  );
  expect(sentenceNote({ metric_for_best_model: "cer" }, held)).toBeUndefined();
  expect(sentenceNote({ metric_for_best_model }, [{ ...held[0]!, text: "ONE TWO" }])).toBeUndefined();
});
