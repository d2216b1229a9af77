import { expect, it } from "vitest";
import { ConfigurationError } from "../../errors.js";
import { corpusParts, findParts } from "./parts.js";

it("knows all of LibriSpeech and Mini LibriSpeech", () => {
  const of = (resource: string) => corpusParts.filter(({ archive }) => archive.startsWith(`${resource}/`));
  const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
  expect(of("12")).toHaveLength(7);
  expect(sum(of("12").map(({ utterances }) => utterances))).toBe(292_367); // 281,241 of them to train on
  expect(sum(of("12").map(({ hours }) => hours))).toBeCloseTo(982.1);
  expect(of("31").map(({ archive }) => archive)).toEqual([
    "31/train-clean-5.tar.gz",
    "31/dev-clean-2.tar.gz",
  ]);
  expect(new Set(corpusParts.map(({ md5 }) => md5)).size).toBe(corpusParts.length);
  for (const { md5, bytes, hours } of corpusParts) {
    expect(md5).toMatch(/^[0-9a-f]{32}$/);
    // FLAC at 16 kHz: a slip of a digit would show.
    expect(bytes / hours / 3600 / 16_000).toBeGreaterThan(1);
    expect(bytes / hours / 3600 / 16_000).toBeLessThan(1.2);
  }
});

it("finds each part once, and names what was meant by a wrong name", () => {
  expect(findParts(["test-other", "dev-clean", "test-other"]).map(({ name }) => name)).toEqual([
    "test-other",
    "dev-clean",
  ]);
  expect(() => findParts(["dev-claen"])).toThrow(ConfigurationError);
  expect(() => findParts(["dev-claen"])).toThrow(/but is 'dev-claen'\. Did you mean dev-clean\?$/);
  expect(() => findParts(["commonvoice"])).toThrow(/but is 'commonvoice'\.$/);
});
