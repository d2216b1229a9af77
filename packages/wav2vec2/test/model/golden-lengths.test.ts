import { describe, expect, it } from "vitest";
import { adapterFrames, featureFrames } from "../../src/model/configuration.js";
import { configFromHuggingFace } from "../../src/model/configuration-file.js";
import { Golden } from "./golden.js";

// Made by reference/golden_lengths.py with Hugging Face's formula and torch's convolutions.

const golden = await Golden.load("lengths");
const samples = golden.get("samples").toArray();

const configs: unknown[] = JSON.parse(golden.metadata.configs!);

describe.each([...configs.keys()])("frames of configuration %i", (index) => {
  const config = configFromHuggingFace(configs[index], `configuration ${index}`);

  it("are those of every length from 0 to 2,000 and of random ones to 500,000", () => {
    expect(samples).toHaveLength(2501);
    const frames = samples.map((length) => featureFrames(config, length));
    expect(frames).toEqual(golden.get(`${index}.frames`).toArray());
  });

  it("are what its adapter's convolutions give", () => {
    const adapted = samples.map((length) => {
      const frames = featureFrames(config, length);
      return frames > 0 ? adapterFrames(config, frames) : 0;
    });
    expect(adapted).toEqual(golden.get(`${index}.adapted`).toArray());
  });
});
