/** The innermost keys of nested values, such as `optimizer.learning_rate`. */
export function flattened(value: unknown, prefix = ""): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { [prefix]: value };
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, inner]) =>
      flattened(inner, prefix === "" ? key : `${prefix}.${key}`),
    ),
  ) as Record<string, unknown>;
}
