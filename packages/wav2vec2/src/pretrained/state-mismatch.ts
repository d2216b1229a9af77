import type { StateMismatch } from "@wav2vec2/libtorch";
import { nearest } from "@wav2vec2/libtorch/nearest";
import { UserError } from "../errors.js";

/** Names of each kind that are shown; a wrong configuration can make all of a thousand wrong. */
const SHOWN = 20;

/** Of each part of the network one parameter: where a file has none of them, it holds another network. */
const LANDMARKS = [
  "feature_extractor.conv_layers.0.conv.weight",
  "feature_projection.projection.weight",
  "encoder.layers.0.attention.q_proj.weight",
];

/** Keys of the network below the heads, wherever a class has it. */
const BACKBONE = /(^|\.)(feature_extractor|feature_projection|encoder|adapter)\.|(^|\.)masked_spec_embed$/;

/**
 * @param path the file or directory that the weights were read from, for the message
 * @returns a note on tensors that the model has no place for; those change nothing
 * @throws UserError listing the keys that do not fit, as `describeMismatch` words it, where a parameter has no values
 */
export function requireComplete(path: string, mismatch: StateMismatch): string | undefined {
  const { missing, misshaped, unexpected } = mismatch;
  if (missing.length + misshaped.length > 0) throw new UserError(describeMismatch(path, mismatch)!);
  if (unexpected.length === 0) return undefined;
  return [
    `${path} holds ${unexpected.length === 1 ? "a tensor" : "tensors"} that the network has no place for, left out: ${listNames(unexpected)}.`,
    ...(likelyCause(mismatch) ?? []),
  ].join(" ");
}

/** The first names, and how many others there are. */
export function listNames(names: readonly string[]): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "";
  return `${names.slice(0, SHOWN).join(", ")}${more}`;
}

/**
 * What does not fit between a file and a model: every name (of each kind the first 20), the nearest name of the other
 * side where one is likely meant, and what went wrong where the pattern shows it. Undefined where all fits.
 */
export function describeMismatch(path: string, mismatch: StateMismatch): string | undefined {
  const { missing, unexpected, misshaped } = mismatch;
  if (missing.length + unexpected.length + misshaped.length === 0) return undefined;
  const line = (kind: string, others: readonly string[]) => (name: string) => {
    const meant = nearest(
      name,
      others.filter((other) => other !== name),
    );
    return `  ${kind}: ${name}${meant === undefined ? "" : ` (nearest: ${meant})`}`;
  };
  return [
    `${path} must hold the weights that config.json describes, but does not:`,
    ...list("missing", missing, line("missing", unexpected)),
    ...list("unexpected", unexpected, line("unexpected", missing)),
    ...list("mis-shaped", misshaped, ({ name, expected, found }) => {
      return `  mis-shaped: ${name} must be [${expected.join(", ")}], but is [${found.join(", ")}]`;
    }),
    ...(likelyCause(mismatch) ?? []),
  ].join("\n");
}

function list<T>(kind: string, items: readonly T[], line: (item: T) => string): string[] {
  const lines = items.slice(0, SHOWN).map(line);
  return items.length > SHOWN ? [...lines, `  and ${items.length - SHOWN} more ${kind}`] : lines;
}

/** A sentence on the mistake that makes just this pattern; none where it is not obvious. */
function likelyCause({ missing, unexpected, misshaped }: StateMismatch): [string] | undefined {
  const has = (part: string) => missing.some((name) => name.endsWith(part));
  if (LANDMARKS.every(has)) return ["The file holds no wav2vec 2.0 network. Name the directory of one."];
  if (misshaped.length > 0) return misshapedCause(misshaped);

  const absent = layers(missing);
  if (absent !== undefined && unexpected.length === 0)
    return [
      `${range(absent)} missing. Set num_hidden_layers in config.json to ${absent.first}, if the model has no more.`,
    ];
  const surplus = layers(unexpected);
  if (surplus !== undefined && missing.length === 0)
    return [
      `${range(surplus)} beyond num_hidden_layers in config.json. Set it to ${surplus.last + 1} to use the whole network.`,
    ];
  if (unexpected.length > 0) return undefined;
  if (missing.every((name) => name.startsWith("lm_head.")))
    return [
      "The file has no CTC head, as pre-trained models have none. Fine-tune it first (wav2vec2 finetune).",
    ];
  if (missing.every((name) => /^(quantizer|project_q|project_hid)\./.test(name)))
    return [
      "The file has no heads for pre-training, as fine-tuned models have none. Name a pre-trained model.",
    ];
  return undefined;
}

function misshapedCause(misshaped: StateMismatch["misshaped"]): [string] | undefined {
  const head = misshaped.find(({ name }) => name.startsWith("lm_head."));
  if (
    head &&
    misshaped.every(({ name }) => name.startsWith("lm_head.")) &&
    head.expected[0] !== head.found[0]
  )
    return [
      `The file's CTC head is for a vocabulary of ${head.found[0]} tokens, not ${head.expected[0]}. ` +
        'Take vocab.json and config.json\'s vocab_size of the same model, or begin the head anew: newHead: "where different" (in a recipe ' +
        "vocabulary: transcripts).",
    ];
  const labels = misshaped.find(({ name }) => /(^|\.)(classifier\.|objective\.)/.test(name));
  if (labels && misshaped.every(({ name }) => /(^|\.)(projector|classifier|objective)\./.test(name)))
    return [
      "The file's head is for other labels or of another width than config.json's. Take id2label and classifier_proj_size of the same " +
        'model, or begin the head anew: newHead: "where different".',
    ];
  if (misshaped.every(({ name }) => !BACKBONE.test(name)))
    return [
      'What the class has outside the network is of another shape than in the file. Begin it anew: newHead: "where different" (in a ' +
        "recipe of finetune vocabulary: transcripts).",
    ];
  const width = misshaped.find(({ name }) => name.endsWith("encoder.layer_norm.weight"));
  if (width)
    return [
      `The file's network is ${width.found[0]} wide, not hidden_size ${width.expected[0]}. ` +
        "Take config.json of the same model.",
    ];
  return undefined;
}

/** The transformer layers that the names are of, where they are of nothing else and leave no gap. */
function layers(names: readonly string[]): { first: number; last: number } | undefined {
  const numbers = names.map((name) => Number(/encoder\.layers\.(\d+)\./.exec(name)?.[1] ?? Number.NaN));
  if (numbers.some(Number.isNaN)) return undefined;
  const distinct = [...new Set(numbers)].sort((a, b) => a - b);
  const [first, last] = [distinct[0], distinct.at(-1)];
  if (first === undefined || last === undefined || last - first + 1 !== distinct.length) return undefined;
  // An incomplete layer is another mistake than a wrong number of them.
  const whole = distinct.every((layer) => numbers.filter((other) => other === layer).length >= 16);
  return whole && first > 0 ? { first, last } : undefined;
}

function range({ first, last }: { first: number; last: number }): string {
  return first === last ? `Layer ${first} is` : `Layers ${first} to ${last} are`;
}
