import { describe, expect, it } from "vitest";
import { Random } from "../random.js";
import { collateCtc, dropImpossibleTargets } from "./ctc-collator.js";

describe("collateCtc", () => {
  it("pads with zeros and joins the labels", () => {
    const batch = collateCtc(
      [
        { id: "a", samples: Float32Array.of(1, 2, 3), labels: Int32Array.of(7, 8) },
        { id: "b", samples: Float32Array.of(4, 5, 6, 7, 8), labels: Int32Array.of() },
        { id: "c", samples: Float32Array.of(9), labels: Int32Array.of(9) },
      ],
      { minimumSamples: 2 },
    );
    expect(batch).toEqual({
      ids: ["a", "b", "c"],
      input: Float32Array.of(1, 2, 3, 0, 0, 4, 5, 6, 7, 8, 9, 0, 0, 0, 0),
      paddedLength: 5,
      lengths: Int32Array.of(3, 5, 2),
      labels: Int32Array.of(7, 8, 9),
      labelLengths: Int32Array.of(2, 0, 1),
    });
  });

  it("lengthens a batch of short clips to the minimum", () => {
    const batch = collateCtc([{ id: "a", samples: Float32Array.of(1), labels: Int32Array.of(3) }], {
      minimumSamples: 400,
    });
    expect(batch.paddedLength).toBe(400);
    expect([...batch.lengths]).toEqual([400]);
    expect(batch.input).toHaveLength(400);
  });

  it("gives every clip and label back", () => {
    const random = new Random(4, "collator");
    for (let round = 0; round < 30; round++) {
      const items = Array.from({ length: 1 + random.integer(6) }, (_, i) => ({
        id: `${i}`,
        samples: Float32Array.from({ length: random.integer(900) }, () => random.uniform()),
        labels: Int32Array.from({ length: random.integer(9) }, () => random.integer(30)),
      }));
      const batch = collateCtc(items, { minimumSamples: 400 });
      let labelStart = 0;
      for (const [row, item] of items.entries()) {
        const samples = batch.input.subarray(row * batch.paddedLength, (row + 1) * batch.paddedLength);
        expect(samples.subarray(0, item.samples.length)).toEqual(item.samples);
        expect(samples.subarray(item.samples.length).every((sample) => sample === 0)).toBe(true);
        expect(batch.lengths[row]).toBe(Math.max(400, item.samples.length));
        expect(batch.labels.subarray(labelStart, labelStart + batch.labelLengths[row]!)).toEqual(item.labels);
        labelStart += batch.labelLengths[row]!;
      }
      expect(batch.labels).toHaveLength(labelStart);
    }
  });

  it("fills whatever memory it is given", () => {
    const items = [3, 5].map((length) => ({
      id: `${length}`,
      samples: new Float32Array(length).fill(length),
      labels: Int32Array.of(1),
    }));
    const shared = new Float32Array(new SharedArrayBuffer(40)).fill(9);
    const batch = collateCtc(items, { minimumSamples: 1, allocate: (length) => shared.subarray(0, length) });
    expect(batch.input.buffer).toBe(shared.buffer);
    expect([...batch.input]).toEqual([3, 3, 3, 0, 0, 5, 5, 5, 5, 5]);
  });

  it("refuses an empty batch", () => {
    expect(() => collateCtc([], { minimumSamples: 400 })).toThrow(
      "must hold at least one clip, but is empty.",
    );
  });
});

describe("dropImpossibleTargets", () => {
  const encode = (text: string) => Int32Array.from(text, (character) => character.charCodeAt(0));

  it("counts a frame a label and a blank between equal neighbours", () => {
    const utterances = [
      { id: "fits", samples: 3, text: "abc" },
      { id: "repeats", samples: 3, text: "abb" },
      { id: "repeats-fits", samples: 4, text: "abb" },
      { id: "triple", samples: 4, text: "aaa" },
      { id: "triple-fits", samples: 5, text: "aaa" },
      { id: "silence", samples: 0, text: "" },
    ];
    const { kept, dropped } = dropImpossibleTargets(utterances, (samples) => samples, encode);
    expect(kept.map(({ id }) => id)).toEqual(["fits", "repeats-fits", "triple-fits", "silence"]);
    expect(dropped).toEqual([
      { id: "repeats", frames: 3, needed: 4 },
      { id: "triple", frames: 4, needed: 5 },
    ]);
  });

  it("passes the utterance's id on, for the error of an unknown character", () => {
    const seen: string[] = [];
    dropImpossibleTargets(
      [{ id: "1-2-3", samples: 9, text: "A" }],
      (samples) => samples,
      (text, id) => {
        seen.push(id);
        return encode(text);
      },
    );
    expect(seen).toEqual(["1-2-3"]);
  });
});
