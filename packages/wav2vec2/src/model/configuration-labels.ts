import { ConfigurationError } from "../errors.js";

// Hugging Face's `config.json` has the labels of a classification head twice: as `id2label`, an object whose keys are
// whole numbers in quotation marks, and turned round as `label2id`, whose numbers its example scripts write as text. In
// earlier years it had their number alone, `num_labels`.

/**
 * Takes what says the labels out of the keys of a configuration.
 *
 * @returns their names in the order of their ids; undefined where nothing says them
 * @throws ConfigurationError where the keys contradict one another, or ids are not counted from 0
 */
export function takeLabels(keys: Map<string, unknown>, source: string): string[] | undefined {
  const take = (key: string) => {
    const value = keys.get(key) ?? undefined;
    keys.delete(key);
    return value;
  };
  const [given, ids, count] = [take("id2label"), take("label2id"), take("num_labels")];
  const labels = given === undefined ? unnamed(count, source) : named(given, source);
  if (labels && count !== undefined && count !== labels.length) {
    throw new ConfigurationError(
      `${source}: num_labels must be the number of labels in id2label, ${labels.length}, but is ${JSON.stringify(count)}. ` +
        "Leave num_labels out.",
    );
  }
  if (labels && ids !== undefined) requireInverse(labels, ids, source);
  return labels;
}

function unnamed(count: unknown, source: string): string[] | undefined {
  if (count === undefined) return undefined;
  if (Number.isSafeInteger(count) && (count as number) > 0)
    return Array.from({ length: count as number }, (_, id) => `LABEL_${id}`);
  throw new ConfigurationError(
    `${source}: num_labels must be a positive whole number, but is ${JSON.stringify(count)}.`,
  );
}

function named(given: unknown, source: string): string[] {
  if (typeof given !== "object" || given === null) throw noLabels(given, source);
  const entries = Object.entries(given);
  const labels = entries.map((_, id) => (given as Record<number, unknown>)[id]);
  if (labels.every((label): label is string => typeof label === "string")) return labels;
  throw noLabels(given, source);
}

function noLabels(given: unknown, source: string): ConfigurationError {
  return new ConfigurationError(
    `${source}: id2label must have a name for each id from 0 on, such as {"0": "no", "1": "yes"}, but is ` +
      `${JSON.stringify(given).slice(0, 200)}.`,
  );
}

function requireInverse(labels: readonly string[], ids: unknown, source: string): void {
  const entries = typeof ids === "object" && ids !== null ? Object.entries(ids) : [];
  const wrong = entries.find(([label, id]) => labels[Number(id)] !== label);
  if (!wrong) return;
  throw new ConfigurationError(
    `${source}: label2id must be id2label turned round, but has ${JSON.stringify(wrong[0])} as ${JSON.stringify(wrong[1])}, ` +
      `which id2label calls ${JSON.stringify(labels[Number(wrong[1])]) ?? "nothing"}. Leave label2id out.`,
  );
}

/** Labels as Hugging Face's `id2label`. */
export function labelsById(labels: readonly string[]): Record<string, string> {
  return Object.fromEntries(labels.map((label, id) => [String(id), label]));
}

/** Labels as Hugging Face's `label2id`. */
export function idsByLabel(labels: readonly string[]): Record<string, number> {
  return Object.fromEntries(labels.map((label, id) => [label, id]));
}
