import { listSplits } from "../../packages/wav2vec2/dist/data/corpus/corpus.js";
import { UserError } from "../../packages/wav2vec2/dist/errors.js";

/** @typedef {import("./options.mjs").Splits} Splits */

/** How splits are called, likeliest first; the last resort of `dev` and `test` is each other. */
const PATTERNS = {
  train: [/^train$/i, /^train-clean/i, /^train/i],
  dev: [/^dev$/i, /^dev-clean/i, /^(dev|val)/i, /^test/i],
  test: [/^test$/i, /^test-clean/i, /^test/i, /^(dev|val)/i],
};

/**
 * Splits of a corpus to train, validate and test on: those that were asked for, else those whose names say so.
 * @param {string} data
 * @param {Partial<Splits>} wanted
 * @returns {Promise<Splits>}
 */
export async function chooseSplits(data, wanted) {
  const existing = await listSplits(data);
  const choose = (/** @type {keyof Splits} */ purpose) => {
    if (wanted[purpose] !== undefined) return wanted[purpose];
    for (const pattern of PATTERNS[purpose]) {
      const name = existing.find((split) => pattern.test(split));
      if (name !== undefined) return name;
    }
    throw new UserError(
      `${data} must have a split to ${purpose} on, but has ${existing.join(", ") || "none"}. Add --${purpose}-split NAME.`,
    );
  };
  return { train: choose("train"), dev: choose("dev"), test: choose("test") };
}
