import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { corpusDirectory, flac } from "../../../../test/fixtures/corpus-fixture.js";
import { sharedData } from "../../../../test/fixtures/shared-data.js";
import { ConfigurationError } from "../../../errors.js";
import { LibriSpeechDataset } from "./librispeech-dataset.js";

let { root, put, cache } = corpusDirectory();
beforeEach(() => {
  ({ root, put, cache } = corpusDirectory());
  put("LibriSpeech/dev/14/208/14-208-0000.flac", flac(16000));
  put("LibriSpeech/dev/14/208/14-208-0001.flac", flac(48000));
  put("LibriSpeech/dev/14/208/14-208.trans.txt", "14-208-0000 ONE\n14-208-0001 TWO\n");
  put("LibriSpeech/dev/60/9/60-9-0000.flac", flac(8000));
  put("LibriSpeech/dev/60/9/60-9.trans.txt", "60-9-0000 THREE\n");
  put(
    "LibriSpeech/SPEAKERS.TXT",
    ";ID  |SEX| SUBSET |MINUTES| NAME\n14   | F | dev    | 25.03 | Kristin LeMoine\n60   | M | dev    | 20.18 | |CBW|Simon\n",
  );
});

describe("LibriSpeechDataset", () => {
  it("tells what there is", async () => {
    const dataset = await LibriSpeechDataset.open(root, { splits: ["dev"], cache });
    expect(dataset).toMatchObject({ length: 3, splits: ["dev"], chapters: ["208", "9"], hours: 4.5 / 3600 });
    expect(Object.fromEntries(dataset.speakers)).toEqual({
      14: { sex: "F", name: "Kristin LeMoine", utterances: 2, seconds: 4 },
      60: { sex: "M", name: "|CBW|Simon", utterances: 1, seconds: 0.5 },
    });
    expect([...dataset].map(({ id }) => id)).toEqual(["14-208-0000", "14-208-0001", "60-9-0000"]);
    expect(dataset.get(2)).toMatchObject({ id: "60-9-0000", text: "THREE" });
    for (const index of [-1, 3, 0.5])
      expect(() => dataset.get(index)).toThrow(`from 0 to 2, but is ${index}.`);
    const { audio, id } = await dataset.read(2);
    expect([id, audio.length]).toEqual(["60-9-0000", 8000]);
  });

  it("leaves out or cuts by duration", async () => {
    const limits = { splits: ["dev"], cache, minSeconds: 0.75, maxSeconds: 2 };
    const filtered = await LibriSpeechDataset.open(root, limits);
    expect(filtered).toMatchObject({ length: 1, tooShort: 1, tooLong: 1 });
    const cut = await LibriSpeechDataset.open(root, { ...limits, truncate: true, transcripts: "none" });
    expect(cut).toMatchObject({ length: 2, tooShort: 1, tooLong: 0 });
    for (const [i, { samples }] of cut.utterances.entries())
      expect((await cut.read(i)).audio).toHaveLength(samples);
    expect(cut.get(1)).toMatchObject({ samples: 32000, seconds: 2, end: 2 });
  });

  it("reads as many samples as it tells where clips of other rates are cut", async () => {
    for (const rate of [8000, 11025, 22050, 44100, 48000])
      put(`rates/${rate}.flac`, flac(3 * rate + 7, rate));
    put(
      "rates.jsonl",
      [8000, 11025, 22050, 44100, 48000]
        .map((rate) => `{"audio":"rates/${rate}.flac","start":0.1234}`)
        .join("\n"),
    );
    const options = { transcripts: "none", cache, truncate: true } as const;
    for (const maxSeconds of [0.3, 1.17, 2.5]) {
      const dataset = await LibriSpeechDataset.open(join(root, "rates.jsonl"), { ...options, maxSeconds });
      expect(dataset.length).toBe(5);
      for (const [i, { samples }] of dataset.utterances.entries())
        expect((await dataset.read(i)).audio).toHaveLength(samples);
    }
  });

  it.each([
    [{ truncate: true, maxSeconds: 1 }, "truncate must come with transcripts: none"],
    [{ truncate: true, transcripts: "none" }, "truncate must come with maxSeconds"],
    [{ minSeconds: 2, maxSeconds: 1 }, "minSeconds must be from 0 to maxSeconds"],
    [{ minSeconds: Number.NaN }, "minSeconds must be from 0 to maxSeconds"],
    [{ splits: [] }, "splits must name a split"],
  ] as const)("refuses %j", async (options, message) => {
    const open = () => LibriSpeechDataset.open(root, { splits: ["dev"], cache, ...options });
    await expect(open()).rejects.toThrow(message);
    await expect(open()).rejects.toThrow(ConfigurationError);
  });

  it("says that no utterance is so long", async () => {
    await expect(LibriSpeechDataset.open(root, { splits: ["dev"], cache, minSeconds: 9 })).rejects.toThrow(
      "must hold utterances of 9 to Infinity s, but 3 are shorter and 0 longer.",
    );
  });
});

const shared = sharedData("LibriSpeech-mini");
describe.skipIf(!shared.isThere)("real speech (skipped where ../shared/data is missing)", () => {
  it("has speakers with names", async () => {
    const dataset = await LibriSpeechDataset.open(shared.path, {
      splits: ["train-clean-100", "test-other"],
      cache,
    });
    expect(dataset.length).toBe(351);
    expect(dataset.speakers.size).toBe(261);
    expect([...dataset.speakers.values()].filter(({ sex, name }) => sex && name)).toHaveLength(261);
    const { audio, samples } = await dataset.read(100);
    expect(audio).toHaveLength(samples);
  });
});
