import { expect, it } from "vitest";
import { filterByDuration } from "./filter.js";

it("filterByDuration keeps both limits and counts what it drops", () => {
  const utterances = [0.4, 0.5, 1, 2, 2.1, 30].map((seconds) => ({ seconds }));
  const { kept, tooShort, tooLong } = filterByDuration(utterances, { minSeconds: 0.5, maxSeconds: 2 });
  expect(kept.map(({ seconds }) => seconds)).toEqual([0.5, 1, 2]);
  expect({ tooShort, tooLong }).toEqual({ tooShort: 1, tooLong: 2 });
});
