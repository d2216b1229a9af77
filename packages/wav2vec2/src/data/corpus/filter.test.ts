import { expect, it } from "vitest";
import { filterByDuration, truncateDuration } from "./filter.js";

it("filterByDuration keeps both limits and counts what it drops", () => {
  const utterances = [0.4, 0.5, 1, 2, 2.1, 30].map((seconds) => ({ seconds }));
  const { kept, tooShort, tooLong } = filterByDuration(utterances, { minSeconds: 0.5, maxSeconds: 2 });
  expect(kept.map(({ seconds }) => seconds)).toEqual([0.5, 1, 2]);
  expect({ tooShort, tooLong }).toEqual({ tooShort: 1, tooLong: 2 });
});

it("truncateDuration cuts longer utterances alone, from where they begin", () => {
  const short = { id: "a", path: "a", samples: 16000, seconds: 1 };
  const long = { id: "b", path: "b", samples: 32000, seconds: 2, start: 3 };
  const [first, second] = truncateDuration([short, long], 1.17);
  expect(first).toBe(short);
  expect(second).toEqual({ ...long, end: 4.16, samples: 18560, seconds: 1.16 });
  expect(truncateDuration([long], 1.16)[0]!.samples).toBe(18560);
});
