// libtorch's own description of an operator, as text: aten::std.dim(Tensor self, int[1]? dim, bool unbiased=True) -> Tensor

export interface SchemaParameter {
  readonly name: string;
  /** Without marks of aliasing, for example `Tensor`, `int[1]?`, `Scalar`. */
  readonly type: string;
  readonly isRequired: boolean;
  /** Only by name, behind the `*`. */
  readonly isKeyword: boolean;
  /** The operator writes into it. */
  readonly isWritten: boolean;
}

export interface OperatorSchema {
  readonly text: string;
  readonly parameters: readonly SchemaParameter[];
  /** The types of its results. */
  readonly results: readonly string[];
}

export function parseSchema(text: string): OperatorSchema {
  const match = /^aten::[\w.]+\((.*)\) -> (.*)$/s.exec(text);
  if (!match) throw new Error(`The schema of an operator must be readable, but is '${text}'.`);
  const [, list, results] = match as unknown as [string, string, string];
  const parts = splitTop(list);
  const star = parts.indexOf("*");
  const parameters = parts.flatMap((part, i) =>
    part === "*" ? [] : parameterOf(part, star >= 0 && i > star),
  );
  const inner = /^\((.*)\)$/s.exec(results)?.[1];
  return {
    text,
    parameters,
    results: (inner === undefined ? [results] : splitTop(inner)).map((part) =>
      withoutAliases(part).replace(/ \w+$/, ""),
    ),
  };
}

function parameterOf(part: string, isKeyword: boolean): SchemaParameter {
  const [, type, name, fallback] = /^(.+?)\s+(\w+)(?:=(.*))?$/s.exec(part)!;
  return {
    name: name!,
    type: withoutAliases(type!),
    isRequired: fallback === undefined && !type!.endsWith("?"),
    isKeyword,
    isWritten: type!.includes("!"),
  };
}

function withoutAliases(type: string): string {
  return type.replace(/\([a-z]\w*!?(?: ?-> ?[\w*]+)?\)|\([a-z*!| >-]+\)/g, "");
}

/** Splits at commas outside brackets. */
export function splitTop(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = "";
  for (const character of text) {
    if ("([".includes(character)) depth++;
    if (")]".includes(character)) depth--;
    if (character === "," && depth === 0) {
      parts.push(part.trim());
      part = "";
    } else part += character;
  }
  return part.trim() ? [...parts, part.trim()] : parts;
}
