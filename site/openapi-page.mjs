// The server's OpenAPI description as a page of tables.

/**
 * @typedef {{ type?: string | string[], format?: string, description?: string, enum?: unknown[], const?: unknown, default?: unknown,
 *   minimum?: number, maximum?: number, maxLength?: number, maxItems?: number, pattern?: string, items?: Schema, oneOf?: Schema[],
 *   anyOf?: Schema[], properties?: Record<string, Schema>, required?: string[], $ref?: string }} Schema
 * @typedef {{ content?: Record<string, { schema?: Schema }>, description?: string }} Body
 * @typedef {{ summary: string, description?: string, requestBody?: Body, responses: Record<string, Body>,
 *   parameters?: { name: string, in: string, required?: boolean, schema?: Schema, description?: string }[] }} Operation
 * @typedef {{ openapi: string, info: { title: string, version: string, description: string },
 *   paths: Record<string, Record<string, Operation>>, components: { schemas: Record<string, Schema> } }} Description
 */

/** Whole numbers of JSON have these bounds, which say nothing. */
const UNBOUNDED = [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];

/** @param {string} text */
const cell = (text) => text.replaceAll("|", "\\|").replaceAll("\n", " ");
/** @param {unknown} value */
const code = (value) => `\`${String(value)}\``;

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
function table(head, rows) {
  const lines = [head, head.map(() => "---"), ...rows.map((row) => row.map(cell))];
  return `${lines.map((line) => `| ${line.join(" | ")} |`).join("\n")}\n`;
}

/**
 * @param {Schema} schema
 * @returns {string} its type in a few words
 */
function typeOf(schema) {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split("/").at(-1) ?? "";
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum) return schema.enum.map(code).join(", ");
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return choices.map(typeOf).join(" or ");
  if (schema.type === "array") return `list of ${typeOf(schema.items ?? {})}`;
  const type = [schema.type ?? "any"].flat().join(" or ");
  return schema.format === undefined ? type : `${type}, ${schema.format}`;
}

/** @param {Schema} schema */
function limits(schema) {
  const known = [
    ...[schema.minimum]
      .filter((limit) => !UNBOUNDED.includes(limit ?? NaN))
      .map((limit) => limit !== undefined && `from ${limit}`),
    ...[schema.maximum]
      .filter((limit) => !UNBOUNDED.includes(limit ?? NaN))
      .map((limit) => limit !== undefined && `to ${limit}`),
    schema.maxLength !== undefined && `at most ${schema.maxLength} characters`,
    schema.maxItems !== undefined && `at most ${schema.maxItems}`,
    schema.default !== undefined &&
      schema.default !== "" &&
      `default ${code(JSON.stringify(schema.default))}`,
  ];
  return known.filter(Boolean).join(", ");
}

/**
 * @param {Schema} schema of an object
 * @param {string} [inside] what it is part of
 * @returns {string[][]} a row for each of its fields, and of theirs
 */
function fields(schema, inside = "") {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${inside}${name}`;
    const limit = limits(field);
    const about = [field.description, limit && `${limit[0]?.toUpperCase()}${limit.slice(1)}.`]
      .filter(Boolean)
      .join(" ");
    const needed = schema.required?.includes(name) ? "always" : "";
    const parts = field.type === "array" ? field.items : field;
    const nested = parts?.properties ? fields(parts, `${path}${field.type === "array" ? "[]" : ""}.`) : [];
    return [[code(path), typeOf(field), needed, about], ...nested];
  });
}

const FIELDS = ["field", "type", "there", ""];

/** @param {string} method @param {string} path @param {Operation} operation */
function operationSection(method, path, operation) {
  const parameters = (operation.parameters ?? []).map((each) => [
    code(each.name),
    typeOf(each.schema ?? {}),
    each.required ? "always" : "",
    each.description ?? `in the ${each.in}`,
  ]);
  const bodies = Object.entries(operation.requestBody?.content ?? {}).map(
    ([type, { schema }]) => `${code(type)}:\n\n${table(FIELDS, fields(schema ?? {}))}`,
  );
  const answers = Object.entries(operation.responses).map(([status, { description = "", content = {} }]) => {
    const forms = Object.entries(content).map(([type, { schema }]) =>
      schema?.$ref === undefined ? code(type) : `${code(type)}: ${typeOf(schema)}`,
    );
    return [status, description, forms.join("; ")];
  });
  return [
    `## ${method.toUpperCase()} ${path}\n\n${operation.summary}.\n`,
    ...(parameters.length > 0 ? [table(FIELDS, parameters)] : []),
    ...bodies,
    table(["status", "", "body"], answers),
  ].join("\n");
}

/** @param {string} name @param {Schema} schema */
function schemaSection(name, schema) {
  const forms = schema.oneOf ?? schema.anyOf ?? [schema];
  return `### ${name}\n\n${forms.map((form) => table(FIELDS, fields(form))).join("\nor\n\n")}`;
}

/**
 * @param {Description} description
 * @returns {string} Markdown
 */
export function openApiPage({ openapi, info, paths, components }) {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => operationSection(method, path, operation)),
  );
  const schemas = Object.entries(components.schemas).map(([name, schema]) => schemaSection(name, schema));
  return `# The server's interface

${info.description} Made from the description in OpenAPI ${openapi} of \`${info.title}\` ${info.version}, which
<a href="./openapi.json" target="_self" download>openapi.json</a> is, for programs that make clients. How the server is used is told in [serving](./serving.md).

${operations.join("\n")}
## What bodies hold

${schemas.join("\n")}`;
}
