// Calls every operator with senseless values, in a process of its own so that a crash has a name.
//   node fuzz-operators.mjs LIBRARY SEED ROUNDS [AFTER]
// LIBRARY is a directory with the compiled package. Each operator's name is written before its calls, so the last
// one written is the one that crashed; AFTER goes on behind it. What is thrown and is not a TorchError is written
// as "wrong: ...". With FUZZ_TRACE set every call's arguments are written first.
import { writeSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [library, seedText, roundsText, after] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(join(library, file)).href);
const torch = await load("index.js");
const { native } = await load("native.js");
const generated = await load("operators.generated.js");

let state = Number(seedText);
/** Mulberry32. */
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const pick = (values) => values[Math.floor(random() * values.length)];

function tensors() {
  const of = (shape, dtype) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const values = Array.from({ length: count }, (_, i) => ((i * 7) % 5) - (dtype === "uint8" ? 0 : 1));
    return torch.tensor(values, shape, { dtype });
  };
  const leaf = (shape) => torch.tensor(torch.randn(shape).toFloat32Array(), shape, { requiresGrad: true });
  const freed = of([2, 2], "float32");
  freed.dispose();
  const floats = [[2, 3], [3, 2], [3], [1], [], [0], [0, 3], [2, 3, 4], [2, 4, 3], [1, 2, 1, 2, 1, 2]].map(
    (shape) => of(shape, "float32"),
  );
  return [
    ...floats,
    ...[[2, 3], [3], [2, 3, 4], [4, 3, 2], [3, 3]].map(leaf),
    leaf([2, 3]).transpose(0, 1),
    leaf([2, 3]).mul(2),
    of([2, 3], "float64"),
    of([2, 3], "bfloat16"),
    of([2, 3, 4], "float16"),
    ...[[2, 3], [3], [2], [], [0]].map((shape) => of(shape, "int64")),
    torch.tensor([-5, 100, 2 ** 40], [3], { dtype: "int64" }),
    torch.tensor([1, 2, 1], [3], { dtype: "int64" }),
    torch.tensor([3, 3], [2], { dtype: "int64" }),
    of([2, 3], "int32"),
    of([2, 3], "uint8"),
    of([2, 3], "bool"),
    of([1], "float32").expand([2, 3]),
    torch.tensor([Number.NaN, Infinity, -Infinity]),
    freed,
  ];
}

const INTEGERS = [0, 1, 2, 3, -1, -2, 4, 2 ** 40, -(2 ** 40), Number.MAX_SAFE_INTEGER];
const NUMBERS = [...INTEGERS, 0.5, 1.5, -1.5, Number.NaN, Infinity, -Infinity, 1e300, -0];
const STRINGS = [
  "none",
  "tanh",
  "float32",
  "int64",
  "bool",
  "cpu",
  "cuda:7",
  "mps",
  "preserve",
  "",
  "\0",
  "x".repeat(300),
];
const DTYPES = ["float32", "float64", "bfloat16", "float16", "int64", "int32", "uint8", "bool"];

/** Anything at all. */
function junk(pool) {
  const kinds = [
    () => undefined,
    () => null,
    () => pick(STRINGS),
    () => pick(NUMBERS),
    () => pick([true, false]),
    () => ({}),
    () => ({ handle: pick([Number.NaN, -1, 0, 1e300, 4294967296, "1", null, {}]) }),
    () => [],
    () =>
      Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
        pick([undefined, null, "a", {}, [], ...NUMBERS]),
      ),
    () => pick([1n, -1n, 2n ** 70n]),
    () => Symbol("junk"),
    () => () => 1,
    () => new Float32Array(3),
    () => pool,
    () => pick(pool),
  ];
  return pick(kinds)();
}

/** A value of a schema's type, most of the time. */
function plausible(type, pool) {
  if (random() < 0.08) return junk(pool);
  const base = type.replace(/\([^)]*\)/g, "");
  if (base.endsWith("?") && random() < 0.3) return undefined;
  const list = (make, longest = 4) => Array.from({ length: Math.floor(random() * (longest + 1)) }, make);
  const plain = base.replace(/\?$/, "");
  if (/^Tensor\??\[\]$/.test(plain)) return list(() => pick(pool));
  if (/^(Sym)?[Ii]nt\[\d*\]$/.test(plain))
    return random() < 0.2 ? pick(INTEGERS) : list(() => pick(INTEGERS.slice(0, 8)));
  switch (plain) {
    case "Tensor":
      return pick(pool);
    case "int":
    case "SymInt":
      return pick(random() < 0.8 ? INTEGERS.slice(0, 7) : INTEGERS);
    case "Scalar":
    case "float":
      return pick(NUMBERS);
    case "bool":
      return random() < 0.5;
    case "ScalarType":
      return pick(DTYPES);
    case "str":
      return pick(STRINGS);
    case "Device":
      return pick(["cpu", "cpu:0", "meta", "cuda", "nonsense"]);
    default:
      return undefined;
  }
}

const asHandles = (value) =>
  torch.isTensor(value) ? value.handle : Array.isArray(value) ? value.map(asHandles) : value;

/** Also the backward pass may be reached by what a caller passed. */
function differentiate(result) {
  for (const output of [result].flat()) {
    if (torch.isTensor(output) && output.isLive && output.requiresGrad && output.numel < 1e6) {
      output.backward(torch.onesLike(output), { retainGraph: true });
    }
  }
}

function attempt(body, description) {
  try {
    torch.scope(body);
  } catch (error) {
    if (!(error instanceof torch.TorchError))
      writeSync(1, `wrong: ${description()}: ${error?.stack ?? error}\n`);
  }
}

function show(value) {
  if (Array.isArray(value)) return `[${value.length > 5 ? "..." : value.map(show).join(", ")}]`;
  return typeof value === "object" && !torch.isTensor(value)
    ? JSON.stringify(value)
    : String(value).replace("\0", "");
}

function typesOf(schema) {
  const inside = schema.slice(schema.indexOf("(") + 1, schema.lastIndexOf(" -> ") - 1);
  const parts = inside.split(/,\s*(?![^[(]*[\])])/).filter((part) => part !== "*");
  return parts.map((part) => part.replace(/\s+\w+(=.*)?$/, ""));
}

const rounds = Number(roundsText);
let skipping = after !== undefined;
/** Whether the operator's turn has come; writes its name if so. */
function begins(name) {
  if (skipping) {
    skipping = name !== after;
    return false;
  }
  writeSync(1, `${name}\n`);
  return true;
}

for (const operator of generated.OPERATORS) {
  const [name, overload = ""] = operator.split(".");
  const index = native.lookup(name, overload);
  if (index < 0 || !begins(operator)) continue;
  const types = typesOf(native.schema(index));
  const invoke = /_$/.test(name) ? native.applyInPlace : native.call;
  for (let round = 0; round < rounds; round++) {
    let values = [];
    attempt(
      () => {
        const pool = tensors();
        values = types
          .slice(0, 1 + Math.floor(random() * (types.length + 1)))
          .map((type) => plausible(type, pool));
        if (process.env.FUZZ_TRACE) writeSync(1, `  ${values.map(show).join(", ")}\n`);
        const result = invoke(index, ...values.map(asHandles));
        const wrapped = [result]
          .flat()
          .map((handle) => (native.isLive(handle) ? new torch.Tensor(handle) : undefined));
        differentiate(wrapped);
      },
      () => `${operator}${show(values)}`,
    );
  }
}

for (const name of [
  ...Object.getOwnPropertyNames(generated.Operators.prototype),
  ...Object.keys(generated),
]) {
  const method = generated.Operators.prototype[name];
  const target = method ?? generated[name];
  if (name === "constructor" || name === "Operators" || typeof target !== "function") continue;
  if (!begins(`${name}()`)) continue;
  for (let round = 0; round < rounds; round++) {
    let values = [];
    attempt(
      () => {
        const pool = tensors();
        values = Array.from({ length: Math.floor(random() * 7) }, () => junk(pool));
        differentiate(method ? pick(pool)[name](...values) : target(...values));
      },
      () => `${name}${show(values)}`,
    );
  }
}
writeSync(1, "done\n");
