import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../errors.js";
import { createConfig, DEFAULT_CONFIG } from "./configuration.js";
import { configFromHuggingFace, configToHuggingFace } from "./configuration-file.js";

const read = (keys: object) => configFromHuggingFace({ model_type: "wav2vec2", ...keys }, "config.json");

describe("labels in config.json", () => {
  it("are those that are written, and nothing where Hugging Face writes nothing", () => {
    const config = createConfig({ id2label: ["no", "7", "yes"] });
    const json = configToHuggingFace(config, []);
    expect([json.id2label, json.label2id]).toEqual([
      { 0: "no", 1: "7", 2: "yes" },
      { no: 0, 7: 1, yes: 2 },
    ]);
    expect(configFromHuggingFace(JSON.parse(JSON.stringify(json)), "x")).toEqual(config);
    expect(configToHuggingFace(DEFAULT_CONFIG, [])).not.toHaveProperty("id2label");
    expect(configToHuggingFace(DEFAULT_CONFIG, [])).not.toHaveProperty("problem_type");
  });

  it("are read as example scripts write them, and as earlier versions did", () => {
    const scripts = { id2label: { 1: "yes", 0: "no" }, label2id: { no: "0", yes: "1" } };
    expect(read(scripts).id2label).toEqual(["no", "yes"]);
    expect(read({ num_labels: 3 }).id2label).toEqual(["LABEL_0", "LABEL_1", "LABEL_2"]);
    expect(read({ id2label: null }).id2label).toEqual(["LABEL_0", "LABEL_1"]);
    expect(read({}).extra).toEqual({});
  });

  it.each([
    [
      { id2label: { 0: "no", 2: "yes" } },
      'id2label must have a name for each id from 0 on, such as {"0": "no"',
    ],
    [{ id2label: { 0: "no", 1: 3 } }, "id2label must have a name for each id"],
    [{ id2label: "yes" }, "id2label must have a name for each id"],
    [{ id2label: {} }, "id2label must be a list of one name or more, but is []"],
    [
      { id2label: ["a"], label2id: { b: 0 } },
      'label2id must be id2label turned round, but has "b" as 0, which id2label calls "a"',
    ],
    [{ id2label: ["a"], label2id: { a: 1 } }, 'has "a" as 1, which id2label calls nothing'],
    [
      { id2label: ["a", "b"], num_labels: 3 },
      "num_labels must be the number of labels in id2label, 2, but is 3",
    ],
    [{ num_labels: -1 }, "num_labels must be a positive whole number, but is -1"],
    [{ problem_type: "guess" }, 'problem_type must be "regression" or'],
    [
      { tdnn_kernel: [5] },
      "tdnn_dim, tdnn_kernel and tdnn_dilation must have equal lengths, but have 5, 1 and 5",
    ],
  ])("that are wrong are refused: %j", (keys, message) => {
    expect(() => read(keys)).toThrow(ConfigurationError);
    expect(() => read(keys)).toThrow(message);
  });
});
