import { describe, expect, it } from "vitest";
import { memoryPicture } from "./memory-picture.js";

const MB = 1e6;

describe("the picture of a step's memory", () => {
  const places = [
    { module: "", operator: "", seconds: 0 },
    { module: "wav2vec2.encoder.layers.0.attention", operator: "aten::linear", seconds: 1 },
    { module: "wav2vec2.encoder.layers.1.attention", operator: "aten::linear", seconds: 2 },
    {
      module: "",
      operator: "torch::autograd::CppNode<bridge::(anonymous namespace)::Attention>",
      seconds: 0.5,
    },
  ];
  const changes = [
    { seconds: 1, bytes: 30 * MB, place: 1 },
    { seconds: 2, bytes: 20 * MB, place: 2 },
    { seconds: 3, bytes: 5 * MB, place: 3 },
    { seconds: 3.5, bytes: -20 * MB, place: 2 },
    { seconds: 4, bytes: -30 * MB, place: 1 },
    { seconds: 8, bytes: -5 * MB, place: 3 },
  ];
  const svg = memoryPicture({ before: 100 * MB, places, changes });

  it("names the fullest moment and what is held at it, the layers of the transformer as one", () => {
    expect(svg).toContain("155 MB at its highest, after 3.0");
    const rows = [...svg.matchAll(/>(\d+) MB<\/text><text[^>]*>([\d.]+) s<\/text><text[^>]*>([^<]*)</g)];
    expect(rows.map(([, megabytes, seconds, name]) => [megabytes, seconds, name])).toEqual([
      ["100", "0.00", "from before: weights and the optimiser's moments"],
      ["50", "3.00", "wav2vec2.encoder.layers.*.attention: linear"],
      ["5", "0.50", "outside of modules: Attention"],
    ]);
  });

  it("stacks to the total", () => {
    const areas = [...svg.matchAll(/<polygon points="([^"]*)"/g)].map(([, points]) =>
      points!.split(" ").map((point) => point.split(",").map(Number) as [number, number]),
    );
    expect(areas).toHaveLength(3);
    const highest = Math.min(...areas.at(-1)!.map(([, y]) => y));
    const bottom = Math.max(...areas[0]!.map(([, y]) => y));
    const before = Math.min(...areas[0]!.map(([, y]) => y));
    expect((bottom - highest) / (bottom - before)).toBeCloseTo(1.55, 2);
  });
});
