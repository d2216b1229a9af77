import { basename } from "node:path";

/** How scores became words, for people: from the entries of a decoding file. */
export function decodingText({ language_model, ...entries }: Record<string, unknown>): string {
  const { beam_width, hotwords, ...weights } = entries;
  const search = beam_width === 1 ? "decoded greedily" : `beam of ${beam_width}`;
  const model = typeof language_model === "string" ? ` with ${basename(language_model)}` : "";
  const numbers = Object.entries(weights).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`);
  const words = Array.isArray(hotwords) ? [`${hotwords.length} hotwords`] : [];
  const details = [...words, ...numbers];
  return `${search}${model}${details.length > 0 ? ` (${details.join(", ")})` : ""}`;
}
