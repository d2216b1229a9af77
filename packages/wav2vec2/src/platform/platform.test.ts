import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { createHash as ofNode } from "./node/hash.js";
import { writeFileAtomic } from "./web/files.js";
import { createHash as ofPages } from "./web/hash.js";
import { dirname, join } from "./web/paths.js";
import { turn } from "./web/turn.js";

it("hashes alike in Node.js and in pages, bit by bit", () => {
  for (const algorithm of ["md5", "sha256"] as const) {
    const bytes = new Uint8Array(randomBytes(1000));
    const digests = [ofNode, ofPages].map((create) =>
      Buffer.from(
        create(algorithm).update(bytes.subarray(0, 333)).update(bytes.subarray(333)).digest(),
      ).toString("hex"),
    );
    expect(digests[0]).toBe(digests[1]);
  }
});

it("goes on in the order of who waited, behind what else waits", async () => {
  const order: number[] = [];
  setImmediate(() => order.push(0));
  await Promise.all([1, 2, 3].map((place) => turn().then(() => order.push(place))));
  expect(order.filter((place) => place > 0)).toEqual([1, 2, 3]);
});

it("takes addresses for directories, and writes no files", async () => {
  expect(join("https://example.org/model/", "vocab.json")).toBe("https://example.org/model/vocab.json");
  expect(join("model", "onnx/model.onnx")).toBe("model/onnx/model.onnx");
  expect(dirname("model/vocab.json")).toBe("model");
  await expect(writeFileAtomic("vocab.json", "{}")).rejects.toThrow("but this is a page");
});
