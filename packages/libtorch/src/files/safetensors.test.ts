import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  openSafetensors,
  type SafetensorsDtype,
  type SafetensorsTensor,
  writeSafetensors,
} from "./safetensors.js";
import { TensorFileError } from "./tensor-source.js";

let directory: string;
let files = 0;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "safetensors-"));
});
afterAll(() => rm(directory, { recursive: true }));

const newPath = (): string => join(directory, `${files++}.safetensors`);

async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = newPath();
  await writeFile(path, bytes);
  return path;
}

/** A file with this header, sound or not, and so many bytes of data. */
function raw(header: string | Uint8Array, dataBytes = 0, length?: bigint): Buffer {
  const json = Buffer.from(header);
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(length ?? BigInt(json.byteLength));
  return Buffer.concat([start, json, Buffer.alloc(dataBytes, 7)]);
}

async function readAll(path: string) {
  const file = await openSafetensors(path);
  try {
    const tensors = new Map<string, { dtype: string; shape: readonly number[]; bytes: Uint8Array }>();
    for (const [name, { dtype, shape }] of file.entries) {
      tensors.set(name, { dtype, shape, bytes: await file.read(name) });
    }
    return { metadata: { ...file.metadata }, tensors };
  } finally {
    await file.close();
  }
}

/** mulberry32 */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const SIZES: Partial<Record<SafetensorsDtype, number>> = {
  BOOL: 1,
  U8: 1,
  BF16: 2,
  F16: 2,
  I32: 4,
  F32: 4,
  I64: 8,
  F64: 8,
};
const DTYPES = Object.keys(SIZES) as SafetensorsDtype[];
const NAMES = [
  "weight",
  "__proto__",
  "constructor",
  "1",
  'ö.\u2028"\\\n\u0001',
  "😀",
  "",
  "a".repeat(200),
  "\ufeffx",
];

function randomTensors(random: (below: number) => number): SafetensorsTensor[] {
  return Array.from({ length: random(7) }, (_, index) => {
    const dtype = DTYPES[random(DTYPES.length)]!;
    const shape = Array.from({ length: random(4) }, () => random(5));
    const bytes = new Uint8Array(shape.reduce((product, size) => product * size, SIZES[dtype]!));
    for (let i = 0; i < bytes.length; i++) bytes[i] = random(256);
    const name = random(2) === 0 ? `${index}` : NAMES[index]!;
    return { name: index === 1 && name === "1" ? "one" : name, dtype, shape, bytes: () => bytes };
  }).filter(({ name }, index, all) => all.findIndex((other) => other.name === name) === index);
}

// Written by the Python package safetensors 0.8.0 (`safetensors.torch.save_file`): BF16, F32, I64, BOOL, a scalar,
// an empty tensor and metadata.
const GOLDEN =
  "mAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJwdCIsIm7DpG1lXCIiOiJ2w6RsdWVcbiJ9LCJpNjQiOnsiZHR5cGUiOiJJNjQiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOlswLDE2XX0sInNjYWxhciI6eyJkdHlwZSI6IkY2NCIsInNoYXBlIjpbXSwiZGF0YV9vZmZzZXRzIjpbMTYsMjRdfSwiZW1wdHkiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzAsNF0sImRhdGFfb2Zmc2V0cyI6WzI0LDI0XX0sImYzMiI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMiwzXSwiZGF0YV9vZmZzZXRzIjpbMjQsNDhdfSwiYmYxNiI6eyJkdHlwZSI6IkJGMTYiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOls0OCw1Ml19LCJib29sIjp7ImR0eXBlIjoiQk9PTCIsInNoYXBlIjpbM10sImRhdGFfb2Zmc2V0cyI6WzUyLDU1XX19ICD//////////wAAAAAAAABAAAAAAAAA9D8AAAAAAADAvwAAAEDNzMw9AACAf2BCog2APwDAAQAB";

describe("the reference implementation's file", () => {
  it("is read", async () => {
    const { metadata, tensors } = await readAll(await fileOf(Buffer.from(GOLDEN, "base64")));
    expect(metadata).toEqual({ format: "pt", 'näme"': "välue\n" });
    expect([...tensors.keys()].sort()).toEqual(["bf16", "bool", "empty", "f32", "i64", "scalar"]);
    const values = (name: string) => tensors.get(name)!.bytes.slice().buffer;
    expect(tensors.get("f32")).toMatchObject({ dtype: "F32", shape: [2, 3] });
    expect([...new Float32Array(values("f32"))]).toEqual([0, -1.5, 2, 0.1, Infinity, 1e-30].map(Math.fround));
    expect([...new BigInt64Array(values("i64"))]).toEqual([-1n, 2n ** 62n]);
    expect([...new Uint16Array(values("bf16"))]).toEqual([0x3f80, 0xc000]);
    expect([...new Uint8Array(values("bool"))]).toEqual([1, 0, 1]);
    expect(tensors.get("scalar")).toMatchObject({ dtype: "F64", shape: [], bytes: { byteLength: 8 } });
    expect(tensors.get("empty")).toMatchObject({ dtype: "F32", shape: [0, 4], bytes: { byteLength: 0 } });
  });

  it("comes out byte for byte when written again, in whatever order", async () => {
    const golden = Buffer.from(GOLDEN, "base64");
    const { tensors } = await readAll(await fileOf(golden));
    const path = newPath();
    const again = [...tensors].reverse().map(([name, { dtype, shape, bytes }]) => ({
      name,
      dtype: dtype as SafetensorsDtype,
      shape,
      bytes: () => bytes,
    }));
    // The reference keeps metadata in a hash map, whose order varies: take the file's own.
    const order = golden.indexOf('"format"') < golden.indexOf('"näme') ? 1 : -1;
    const metadata = Object.fromEntries(
      [["format", "pt"] as const, ['näme"', "välue\n"] as const].sort((a, b) =>
        a[0] < b[0] ? -order : order,
      ),
    );
    await writeSafetensors(path, again, metadata);
    expect((await readFile(path)).equals(golden)).toBe(true);
  });
});

describe("round trips", () => {
  it("returns names, dtypes, shapes, bytes and metadata of random tensors", async () => {
    const random = seeded(1);
    for (let round = 0; round < 60; round++) {
      const tensors = randomTensors(random);
      const metadata = random(2) === 0 ? { format: "pt", 'k"\n': "😀", ["__proto__"]: "kept" } : undefined;
      const path = newPath();
      await writeSafetensors(path, tensors, metadata);
      const read = await readAll(path);
      expect(Object.entries(read.metadata)).toEqual(Object.entries(metadata ?? {}));
      expect(read.tensors.size).toBe(tensors.length);
      for (const { name, dtype, shape, bytes } of tensors) {
        expect(read.tensors.get(name)).toEqual({ dtype, shape, bytes: bytes() });
      }
    }
  });

  it("aligns every tensor to its element", async () => {
    const tensors = (["BOOL", "F32", "U8", "F64", "BF16"] as const).map((dtype, index) => ({
      name: `t${index}`,
      dtype,
      shape: [3],
      bytes: () => new Uint8Array(3 * SIZES[dtype]!).fill(index + 1),
    }));
    const path = newPath();
    await writeSafetensors(path, tensors);
    const bytes = await readFile(path);
    for (const { dtype, bytes: own } of tensors) {
      expect(bytes.indexOf(own()) % SIZES[dtype]!).toBe(0);
    }
  });

  it("reads into given memory, and only the tensor's own bytes", async () => {
    const path = newPath();
    await writeSafetensors(path, [
      { name: "a", dtype: "U8", shape: [4], bytes: () => Uint8Array.of(1, 2, 3, 4) },
      { name: "b", dtype: "U8", shape: [2], bytes: () => Uint8Array.of(5, 6) },
    ]);
    const file = await openSafetensors(path);
    const memory = new Uint8Array(8);
    await file.read("b", memory.subarray(3, 5));
    expect([...memory]).toEqual([0, 0, 0, 5, 6, 0, 0, 0]);
    await expect(file.read("a", memory)).rejects.toThrow(
      /memory for tensor "a" of .* must have 4 bytes, but has 8/,
    );
    await expect(file.read("toString")).rejects.toThrow(/must have a tensor "toString"/);
    await truncate(path, (await readFile(path)).length - 1);
    await expect(file.read("b")).rejects.toThrow(/must have 2 bytes, but has 1/);
    await file.close();
    await file.close();
    await expect(file.read("a")).rejects.toThrow(/must be open to read tensor "a", but is closed/);
  });
});

const entry = (dtype: string, shape: string, offsets: string): string =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;
const A = entry("U8", "[4]", "[0,4]");

describe("damaged files", () => {
  const cases: [what: string, bytes: Uint8Array, message: RegExp][] = [
    ["an empty file", Buffer.alloc(0), /at least 8 bytes, but has 0/],
    ["seven bytes", Buffer.alloc(7), /at least 8 bytes, but has 7/],
    ["a header longer than the file", raw("{}", 0, 3n), /at most the 2 bytes that follow, but is 3/],
    ["a 4 GiB header", raw("{}", 0, 2n ** 32n), /at most 100000000 bytes, but is 4294967296/],
    [
      "a negative header length",
      raw("{}", 0, 2n ** 64n - 1n),
      /at most 100000000 bytes, but is 18446744073709551615/,
    ],
    ["an empty header", raw(""), /must be a JSON object/],
    ["a header that is a list", raw("[]"), /must be a JSON object, but starts with "\[\]"/],
    ["a byte order mark", raw("\ufeff{}"), /must be a JSON object/],
    ["a header that is not UTF-8", raw(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), /must be UTF-8/],
    ["a header that is not JSON", raw('{"a":}'), /must have a value at character 5, but has "}"/],
    ["an unfinished header", raw('{"a'), /must have a closing " at character 3, but has the end/],
    ["two headers", raw("{}{}"), /must have nothing more at character 2/],
    ["a lone surrogate", raw(`{"\\ud800":${A}}`, 4), /whole Unicode characters/],
    ["endless nesting", raw(`{"a":{"x":${"[".repeat(1e6)}`), /at most 128 levels/],
    ["a repeated tensor", raw(`{"a":${A},"a":${A}}`, 4), /must have every key once, but repeats "a"/],
    ["a repeated key", raw(`{"a":{"dtype":"U8","dtype":"U8"}}`), /repeats "dtype"/],
    ["a repeated key, spelt otherwise", raw(`{"a":${A},"\\u0061":${A}}`, 4), /repeats "a"/],
    [
      "a tensor that is a number",
      raw('{"a":1}'),
      /entry of tensor "a" in .* must be an object .* but is 1\./,
    ],
    [
      "__proto__ as a bad tensor",
      raw('{"__proto__":{"dtype":"U8"}}'),
      /shape of tensor "__proto__".* but is missing/,
    ],
    [
      "an unknown dtype",
      raw(`{"a":${entry("F12", "[4]", "[0,4]")}}`, 4),
      /dtype of tensor "a".* but is "F12"/,
    ],
    [
      "a prototype key as dtype",
      raw(`{"a":${entry("constructor", "[4]", "[0,4]")}}`, 4),
      /but is "constructor"/,
    ],
    ["no shape", raw('{"a":{"dtype":"U8","data_offsets":[0,4]}}', 4), /shape of tensor "a".* but is missing/],
    [
      "a negative size",
      raw(`{"a":${entry("U8", "[-4]", "[0,4]")}}`, 4),
      /shape of tensor "a".* but is \[-4\]/,
    ],
    ["a fractional size", raw(`{"a":${entry("U8", "[4.0]", "[0,4]")}}`, 4), /but is \[4\.0\]/],
    ["a size with exponent", raw(`{"a":${entry("U8", "[4e0]", "[0,4]")}}`, 4), /but is \[4e0\]/],
    [
      "a size above 2^53",
      raw(`{"a":${entry("U8", "[9007199254740993]", "[0,4]")}}`, 4),
      /but is \[9007199254740993\]/,
    ],
    [
      "a shape that overflows",
      raw(`{"a":${entry("F32", "[4294967296,4294967296,0]", "[0,0]")}}`),
      /within 2\^53 bytes/,
    ],
    ["a text as size", raw(`{"a":${entry("U8", '["4"]', "[0,4]")}}`, 4), /but is \["4"\]/],
    ["three offsets", raw(`{"a":${entry("U8", "[4]", "[0,4,4]")}}`, 4), /must be \[start, end\]/],
    ["an end before the start", raw(`{"a":${entry("U8", "[4]", "[4,0]")}}`, 4), /must be \[start, end\]/],
    [
      "a negative offset",
      raw(`{"a":${entry("U8", "[4]", "[-1,3]")}}`, 4),
      /data_offsets of tensor "a".*\[-1, 3\]/,
    ],
    [
      "a shape larger than its bytes",
      raw(`{"a":${entry("F32", "[4]", "[0,4]")}}`, 4),
      /16 bytes apart.* but is 4/,
    ],
    ["offsets beyond the file", raw(`{"a":${A}}`, 3), /end within the file's 3 data bytes, but end at 4/],
    [
      "overlap",
      raw(`{"a":${A},"b":${entry("U8", "[4]", "[2,6]")}}`, 6),
      /tensor "b".* begin at 4.* begin at 2. They overlap/,
    ],
    ["a gap", raw(`{"a":${A},"b":${entry("U8", "[4]", "[5,9]")}}`, 9), /Bytes 4 to 5 belong to no tensor/],
    [
      "a gap at the start",
      raw(`{"a":${entry("U8", "[4]", "[1,5]")}}`, 5),
      /must begin at 0, where the header ends/,
    ],
    ["bytes behind the last tensor", raw(`{"a":${A}}`, 5), /must cover its 5 data bytes, but end at 4/],
    [
      "metadata that is a list",
      raw('{"__metadata__":[]}'),
      /__metadata__ in .* must be an object, but is \[\]/,
    ],
    [
      "metadata that is a number",
      raw('{"__metadata__":{"a":1}}'),
      /key "a" in .* must be a string, but is 1/,
    ],
  ];

  it.each(cases)("%s", async (_, bytes, message) => {
    const path = await fileOf(bytes);
    const error = await openSafetensors(path).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TensorFileError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toContain(path);
  });

  it("missing files, directories and devices", async () => {
    await expect(openSafetensors(join(directory, "none"))).rejects.toThrow(
      /none must be a readable .*ENOENT/,
    );
    await expect(openSafetensors(directory)).rejects.toThrow(/not a regular file/);
    await expect(openSafetensors("/dev/zero")).rejects.toThrow(TensorFileError);
  });

  it("a name of megabytes does not fill the message", async () => {
    const path = await fileOf(raw(`{"${"x".repeat(1e6)}":1}`));
    const error = await openSafetensors(path).catch((caught: unknown) => caught);
    expect((error as Error).message.length).toBeLessThan(500 + path.length);
  });

  it("random damage gives either an error of ours or tensors that lie within the file", async () => {
    const random = seeded(2);
    const outcomes = { refused: 0, read: 0 };
    const sound: Buffer[] = [];
    for (let file = 0; file < 20; file++) {
      const path = newPath();
      await writeSafetensors(path, randomTensors(random), { format: "pt" });
      sound.push(await readFile(path));
    }
    const path = newPath();
    for (let round = 0; round < 500; round++) {
      let bytes = Buffer.from(sound[round % sound.length]!);
      const reach = random(4) === 0 ? 16 : bytes.length;
      for (let flips = 1 + random(2); flips > 0; flips--) {
        bytes[random(reach)] = random(2) === 0 ? random(256) : 48 + random(10); // any byte, or a digit
      }
      if (random(6) === 0) bytes = bytes.subarray(0, random(bytes.length + 1));
      await writeFile(path, bytes);
      try {
        const { tensors } = await readAll(path);
        for (const { bytes: own } of tensors.values()) expect(bytes.includes(Buffer.from(own))).toBe(true);
        outcomes.read++;
      } catch (error) {
        expect(error).toBeInstanceOf(TensorFileError);
        outcomes.refused++;
      }
    }
    expect(outcomes.refused).toBeGreaterThan(100);
    expect(outcomes.read).toBeGreaterThan(20);
  });
});

describe("writing", () => {
  const good: SafetensorsTensor = { name: "a", dtype: "F32", shape: [1], bytes: () => new Uint8Array(4) };
  const cases: [what: string, tensors: SafetensorsTensor[], message: RegExp][] = [
    ["a repeated name", [good, good], /name for .* must be used once, but is used twice: "a"/],
    ["the format's own key", [{ ...good, name: "__metadata__" }], /but is "__metadata__"/],
    ["a lone surrogate", [{ ...good, name: "\ud800" }], /whole Unicode characters/],
    ["an unknown dtype", [{ ...good, dtype: "F12" as "F32" }], /dtype of tensor "a".* but is F12/],
    ["a negative size", [{ ...good, shape: [-1] }], /shape of tensor "a".* but is \[-1\]/],
    ["a fractional size", [{ ...good, shape: [0.5] }], /but is \[0\.5\]/],
    [
      "too few bytes",
      [good, { ...good, name: "b", bytes: () => new Uint8Array(3) }],
      /"b".* must have 4 bytes.* has 3/,
    ],
  ];

  it.each(cases)("%s is refused and leaves the old file and no other", async (_, tensors, message) => {
    const own = await mkdtemp(join(directory, "write-"));
    const path = join(own, "model.safetensors");
    await writeFile(path, "old");
    const error = await writeSafetensors(path, tensors).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TensorFileError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toContain(path);
    expect(await readdir(own)).toEqual(["model.safetensors"]);
    expect(await readFile(path, "utf8")).toBe("old");
  });

  it("a tensor that throws leaves nothing, and its error comes through", async () => {
    const own = await mkdtemp(join(directory, "write-"));
    const broken = {
      ...good,
      bytes: () => {
        throw new RangeError("freed");
      },
    };
    await expect(writeSafetensors(join(own, "m"), [broken])).rejects.toThrow(RangeError);
    expect(await readdir(own)).toEqual([]);
  });

  it("asks for one tensor at a time, in file order, after the names are checked", async () => {
    const asked: string[] = [];
    const tensors = ["b", "a", "c"].map((name) => ({
      ...good,
      name,
      bytes: () => {
        asked.push(name);
        return new Uint8Array(4);
      },
    }));
    await expect(writeSafetensors(newPath(), [...tensors, good])).rejects.toThrow(/used twice/);
    expect(asked).toEqual([]);
    await writeSafetensors(newPath(), tensors);
    expect(asked).toEqual(["a", "b", "c"]);
  });

  it("a place that does not exist is named", async () => {
    const path = join(directory, "no", "such", "m.safetensors");
    await expect(writeSafetensors(path, [good])).rejects.toThrow(
      /m\.safetensors must be a writable place.*ENOENT/,
    );
  });

  it("metadata must be text", async () => {
    const metadata = { step: 1 } as unknown as Record<string, string>;
    await expect(writeSafetensors(newPath(), [good], metadata)).rejects.toThrow(
      /key "step" for .* must be a string/,
    );
  });
});
