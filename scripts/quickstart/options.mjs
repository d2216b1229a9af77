export const USAGE = `usage: npm run quickstart -- [options] [recipe keys]

Sets up, synthesises a small corpus of spoken digits, pre-trains on all of its audio without transcripts, fine-tunes on
the transcripts of a part of it, reports the word error rate on unseen sentences and transcribes three clips. Run it
again after an interruption and it goes on.
  --data DIR          use this directory in LibriSpeech layout instead of synthesising one
  --train-split NAME  split to train on (default: train, or the one that looks like it)
  --dev-split NAME    split to validate on
  --test-split NAME   split to test on
  --output DIR        run directories go here (default: quickstart/run, or one for each --data)
Anything else goes to both trainings, for example --max-steps 300.
`;

const NAMES = ["--data", "--train-split", "--dev-split", "--test-split", "--output"];

/**
 * @typedef {{ train: string, dev: string, test: string }} Splits
 * @typedef {object} QuickstartOptions
 * @property {boolean} help
 * @property {string | undefined} data
 * @property {string | undefined} output
 * @property {Partial<Splits>} splits
 * @property {string[]} recipe arguments for `wav2vec2 pretrain` and `wav2vec2 finetune`
 */

/**
 * @param {readonly string[]} args
 * @returns {QuickstartOptions}
 * @throws {Error} named ConfigurationError for an option without its value
 */
export function parseQuickstartOptions(args) {
  /** @type {Record<string, string>} */
  const values = {};
  const recipe = [];
  for (let index = 0; index < args.length; index++) {
    const [name, ...rest] = args[index].split("=");
    if (!NAMES.includes(name)) {
      recipe.push(args[index]);
      continue;
    }
    const value = rest.length > 0 ? rest.join("=") : args[++index];
    if (value === undefined || value === "") {
      throw Object.assign(new Error(`${name} must have a value, but has none.\n${USAGE}`), {
        name: "ConfigurationError",
      });
    }
    values[name] = value;
  }
  /** @type {Partial<Splits>} */
  const splits = {};
  for (const split of /** @type {const} */ (["train", "dev", "test"])) {
    const value = values[`--${split}-split`];
    if (value !== undefined) splits[split] = value;
  }
  const help = recipe.includes("--help") || recipe.includes("-h");
  return { help, data: values["--data"], output: values["--output"], splits, recipe };
}
