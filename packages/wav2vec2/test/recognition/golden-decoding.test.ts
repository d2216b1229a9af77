import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CtcDecoder } from "../../src/text/decoding/ctc-decoder.js";
import type { DecodingOptions } from "../../src/text/decoding/decoding-options.js";
import { CtcTokenizer } from "../../src/text/tokenizer.js";
import { Vocabulary } from "../../src/text/vocabulary.js";
import { arpaModel } from "./arpa-fixture.js";

// Texts and scores equal those of pyctcdecode and flashlight-text; reference/golden_decoding.py made them.

interface Settings {
  alpha?: number;
  beta?: number;
  unk_score_offset?: number;
  hotwords?: string[];
  hotword_weight?: number;
}
interface Golden {
  arpa: string;
  tokens: string[];
  emissions: { short: number[][][]; long: number[][][] };
  exhaustive: { settings: Settings; best: { text: string; acoustic: number; score: number }[][] }[];
  long: { settings: Settings; best: string[] }[];
  lexicon: string[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("../golden/decoding.json", import.meta.url), "utf8"));
const tokenizer = new CtcTokenizer(new Vocabulary(golden.tokens));
const languageModel = arpaModel(golden.arpa);

function optionsOf(settings: Settings): DecodingOptions {
  return {
    languageModel: settings.alpha === undefined ? undefined : languageModel,
    lmWeight: settings.alpha,
    wordScore: settings.beta,
    unknownScore: settings.unk_score_offset,
    hotwords: settings.hotwords,
    hotwordWeight: settings.hotword_weight,
  };
}

function flat(emissions: number[][]): [Float32Array, number] {
  return [Float32Array.from(emissions.flat()), emissions.length];
}

describe("decoding", () => {
  for (const { settings, best } of golden.exhaustive)
    it(`gives pyctcdecode's best texts and scores, nothing pruned, with ${JSON.stringify(settings)}`, () => {
      const nothing = Number.NEGATIVE_INFINITY;
      const unpruned = { beamWidth: 100_000, tokenMinLogp: nothing, beamPruneLogp: nothing };
      const decoder = new CtcDecoder(tokenizer, { ...optionsOf(settings), ...unpruned });
      for (const [i, emissions] of golden.emissions.short.entries()) {
        const found = decoder.nBest(...flat(emissions), best[i]!.length);
        expect(found.map(({ text }) => text)).toEqual(best[i]!.map(({ text }) => text));
        for (const [place, { acoustic, score }] of best[i]!.entries()) {
          expect(found[place]!.acousticScore).toBeCloseTo(acoustic, 4);
          expect(found[place]!.score).toBeCloseTo(score, 4);
        }
      }
    });

  for (const { settings, best } of golden.long)
    it(`gives pyctcdecode's best text of sentences with ${JSON.stringify(settings)}`, () => {
      const texts = (options: DecodingOptions) => {
        const decoder = new CtcDecoder(tokenizer, { ...optionsOf(settings), ...options });
        return golden.emissions.long.map((emissions) => decoder.decode(...flat(emissions)).text);
      };
      expect(texts({ beamWidth: 1000, tokenMinLogp: -30, beamPruneLogp: -30 })).toEqual(best);
      const same = texts({}).filter((text, i) => text === best[i]).length;
      expect(same).toBeGreaterThanOrEqual(best.length - 1); // but for what is pruned
    });

  it("gives flashlight's best text where known words alone are allowed", () => {
    const decoder = new CtcDecoder(tokenizer, { languageModel, unknownScore: Number.NEGATIVE_INFINITY });
    const found = golden.emissions.long.map((emissions) => decoder.decode(...flat(emissions)).text);
    expect(found).toEqual(golden.lexicon);
  });
});
