#!/usr/bin/env node
// Writes src/operators/operators.generated.ts from the schemas of the built bridge's libtorch and scripts/operators.txt.
// With --check it fails instead where the file would change. Generate with the newest supported libtorch:
// arguments are passed by position, so an older one accepts the calls as long as what it lacks is not given.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { splitTop } from "../dist/operators/operator-schema.js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const native = createRequire(import.meta.url)(
  process.env.LIBTORCH_BRIDGE ?? here("../build/libtorch_bridge.node"),
);

// Never useful from JavaScript, given by the bridge itself, or unknown to libtorch 1.13.
const HIDDEN = new Set(["layout", "pin_memory", "generator", "names", "align_to_window"]);
const camel = (name) => name.replace(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter) => letter.toUpperCase());

function parseArgument(text) {
  const match = /^(.+?)\s+(\w+)(?:=(.*))?$/.exec(text);
  if (!match) throw new Error(`cannot read the argument '${text}'`);
  const [, type, name, fallback] = match;
  return { type: type.replace(/\([a-z!| >*-]+\)/g, ""), name, fallback, hidden: HIDDEN.has(name) };
}

function parseSchema(schema) {
  const match = /^aten::([\w.]+)\((.*)\) -> (.*)$/.exec(schema);
  if (!match) throw new Error(`cannot read the schema '${schema}'`);
  const parts = splitTop(match[2]);
  const star = parts.indexOf("*");
  const parameters = parts.filter((part) => part !== "*").map(parseArgument);
  parameters.forEach((parameter, i) => {
    parameter.keyword = star >= 0 && i >= star;
  });
  return { schema, parameters, returns: match[3] };
}

function typeScriptType({ type }) {
  const optional = type.endsWith("?") ? " | undefined" : "";
  const base = type.replace(/\?$/, "");
  const fixed = /^(\w+)\[\d+\]$/.exec(base);
  const single = {
    Tensor: "Tensor",
    Scalar: "number",
    int: "number",
    SymInt: "number",
    float: "number",
    bool: "boolean",
    str: "string",
    ScalarType: "Dtype",
    Device: "Device",
    MemoryFormat: "MemoryFormat",
  };
  if (base === "Tensor?[]") return "readonly (Tensor | undefined)[]";
  if (fixed) return `number | readonly number[]${optional}`;
  if (base.endsWith("[]")) return `readonly ${single[base.slice(0, -2)]}[]${optional}`;
  if (!single[base]) throw new Error(`no TypeScript type for '${type}'`);
  return single[base] + optional;
}

function toNative(parameter, expression, operator) {
  const where = `"${operator}", "${parameter.name}"`;
  switch (parameter.type) {
    case "Tensor":
      return `handleOf(${expression}, ${where})`;
    case "Tensor?":
      return `optionalHandleOf(${expression}, ${where})`;
    case "Tensor[]":
    case "Tensor?[]":
      return `handlesOf(${expression}, ${where})`;
    default:
      return expression;
  }
}

function returnOf(returns, call) {
  const plain = returns.replace(/\([a-z!| >*-]+\)/g, "");
  if (plain === "Tensor") return ["Tensor", `wrap(${call} as number)`];
  if (plain === "Tensor[]") return ["Tensor[]", `wrapAll(${call} as number[])`];
  if (plain === "bool") return ["boolean", `${call} as boolean`];
  const several = /^\((.*)\)$/.exec(plain);
  if (several) {
    const count = splitTop(several[1]).length;
    const tuple = `[${Array(count).fill("Tensor").join(", ")}]`;
    return [tuple, `wrapAll(${call} as number[]) as ${tuple}`];
  }
  throw new Error(`no TypeScript type for the result '${returns}'`);
}

function invocation({ parameters, constant }, keywordNames, operator, inPlace, selfExpression) {
  const given = parameters.map((p, i) => {
    if (p.hidden) return "undefined";
    if (i === 0 && selfExpression) return selfExpression;
    return toNative(p, keywordNames.has(p.name) ? `options?.${camel(p.name)}` : camel(p.name), operator);
  });
  while (given.at(-1) === "undefined") given.pop();
  return `native.${inPlace ? "applyInPlace" : "call"}(${[`numberOf(${constant})`, ...given].join(", ")})`;
}

function generate() {
  const constants = [];
  const methods = [];
  const functions = [];
  const names = [];
  for (const line of readFileSync(here("operators.txt"), "utf8").split("\n")) {
    const entry = line.replace(/#.*/, "").trim();
    if (!entry) continue;
    const [head, list] = entry.split(":").map((part) => part.trim());
    const isFunction = head.startsWith("function ");
    const name = head.replace("function ", "");
    const overloads = list.split(",").map((text) => {
      const [operator, overload = ""] = text.trim().split(".");
      const index = native.lookup(operator, overload);
      if (index < 0) throw new Error(`this libtorch has no operator aten::${text.trim()}`);
      const constant = text.trim().replace(/[.]/g, "_").toUpperCase();
      if (!names.includes(text.trim())) constants.push(`const ${constant} = ${names.push(text.trim()) - 1};`);
      return { ...parseSchema(native.schema(index)), constant };
    });
    const inPlace = name.endsWith("_");
    const widest = overloads.reduce((a, b) => (b.parameters.length > a.parameters.length ? b : a));
    const shown = widest.parameters.filter((p, i) => !p.hidden && (isFunction || i > 0));
    const other = overloads.find((overload) => overload !== widest);
    // The argument in which two overloads differ decides between them. It may have two names: a tensor or a number.
    const twinOf = (p) => {
      const named = other.parameters.find((q) => q.name === p.name);
      const placed = other.parameters[widest.parameters.indexOf(p)];
      const renamed = placed && !widest.parameters.some((q) => q.name === placed.name) ? placed : undefined;
      return (
        named ?? (renamed && (renamed.type === "Tensor") !== (p.type === "Tensor") ? renamed : undefined)
      );
    };
    const differing =
      other &&
      shown.find((p) => {
        const twin = twinOf(p);
        return !twin || twin.name !== p.name || twin.type !== p.type;
      });
    const lacking = other && !twinOf(differing) ? differing : undefined;
    const lastRequired = shown.findLastIndex((p) => !p.keyword && p.fallback === undefined && p !== lacking);
    const positional = shown
      .filter((p) => !p.keyword)
      .map((p, i) => {
        let type = typeScriptType(p);
        const twin = p === differing ? twinOf(p) : undefined;
        if (twin) type = `${type} | ${typeScriptType(twin)}`;
        return `${camel(p.name)}${i > lastRequired ? "?" : ""}: ${type}${i > lastRequired && !type.includes("undefined") ? " | undefined" : ""}`;
      });
    const keywords = shown.filter((p) => p.keyword);
    if (keywords.length) {
      const required = keywords.some((p) => p.fallback === undefined);
      const fields = keywords.map(
        (p) =>
          `${camel(p.name)}${p.fallback === undefined ? "" : "?"}: ${typeScriptType(p)}${p.fallback === undefined ? "" : " | undefined"}`,
      );
      // No default object: it would be made on every call.
      positional.push(
        `options${required ? "" : "?"}: { ${fields.join("; ").replaceAll("| undefined | undefined", "| undefined")} }${required ? "" : " | undefined"}`,
      );
    }
    const keywordNames = new Set(keywords.map((p) => p.name));
    const self = isFunction ? undefined : "this.handle";
    const body = (overload) => {
      const twin = overload === other ? twinOf(differing) : undefined;
      const renamed =
        twin && twin.name !== differing.name
          ? {
              ...overload,
              parameters: overload.parameters.map((p) => (p === twin ? { ...p, name: differing.name } : p)),
            }
          : overload;
      const invoked = invocation(renamed, keywordNames, name, inPlace, self);
      if (inPlace) return { type: "this", statement: `${invoked};\n    return this;` };
      const [type, expression] = returnOf(overload.returns, invoked);
      return { type, statement: `return ${expression};` };
    };
    const main = body(widest);
    let code = main.statement;
    let signatures = "";
    let result = main.type;
    if (other) {
      const twin = twinOf(differing);
      const argument = camel(differing.name);
      const isTwin = !twin
        ? `${argument} === undefined`
        : twin.type === "Tensor"
          ? `isTensor(${argument})`
          : `!isTensor(${argument})`;
      const cast = (text, type) =>
        text.replaceAll(new RegExp(`(?<![.\\w"])${argument}(?![\\w"])`, "g"), `${argument} as ${type}`);
      code = `if (${isTwin}) {\n      ${twin ? cast(body(other).statement, typeScriptType(twin)) : body(other).statement}\n    }\n    ${twin ? cast(main.statement, typeScriptType(differing)) : main.statement}`;
    }
    if (lacking && body(other).type !== main.type) {
      const keyword = isFunction ? "export function " : "";
      const required = positional.map((text) =>
        text.startsWith(`${camel(lacking.name)}?`) ? text.replace("?", "").replace(" | undefined", "") : text,
      );
      signatures = `${keyword}${name}(): ${body(other).type};\n  ${keyword}${name}(${required.join(", ")}): ${main.type};\n  `;
      result = `${body(other).type} | ${main.type}`;
    }
    if (keywords.length) {
      const allowed = keywords.map((p) => `"${camel(p.name)}"`).join(", ");
      const needed = keywords.filter((p) => p.fallback === undefined && !p.type.endsWith("?"));
      const check = `checkOptions("${name}", options, [${allowed}]${needed.length ? `, [${needed.map((p) => `"${camel(p.name)}"`)}]` : ""});`;
      code = `${needed.length ? check : `if (options !== undefined && options !== null) ${check}`}\n    ${code}`;
    }
    const doc = overloads.map((overload) => overload.schema).join("\n   * ");
    const text = `  /**\n   * ${doc}\n   */\n  ${signatures}${isFunction ? "export function " : ""}${name}(${positional.join(", ")}): ${result} {\n    ${code}\n  }`;
    if (isFunction) functions.push(text.replace(/^ {2}/gm, ""));
    else methods.push(text);
  }
  return `// Generated by scripts/generate-operators.mjs from libtorch's schemas; do not edit.
import { checkOptions } from "../arguments.js";
import { handleOf, handlesOf, isTensor, optionalHandleOf, wrap, wrapAll } from "../tensors/handles.js";
import { native } from "../native.js";
import type { Device, Dtype, MemoryFormat, Tensor } from "../tensors/tensor.js";

/** Every schema behind this file, for checks that go over all of them. */
export const OPERATORS: readonly string[] = ${JSON.stringify(names)};

// Places in OPERATORS.
${constants.join("\n")}

let numbers: number[] | undefined;

/** An operator's number in the loaded libtorch: the first call loads it. */
function numberOf(place: number): number {
  numbers ??= OPERATORS.map((schema) => {
    const [name = "", overload = ""] = schema.split(".");
    return native.lookup(name, overload);
  });
  return numbers[place]!;
}

/** The operators that are methods of a tensor. */
export abstract class Operators {
  abstract readonly handle: number;

${methods.join("\n\n")}
}

${functions.join("\n\n")}
`;
}

const target = here("../src/operators/operators.generated.ts");
const text = generate();
if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== text) {
    console.error(
      "operators.generated.ts must match scripts/operators.txt. Run npm run generate -w @wav2vec2/libtorch.",
    );
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
