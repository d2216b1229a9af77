import { nearest } from "@wav2vec2/libtorch/nearest";
import { stateName } from "@wav2vec2/libtorch/state-name";
import { ConfigurationError } from "../errors.js";
import type { Wav2Vec2Config } from "./configuration.js";
import { MODEL_TYPES, type ModelType } from "./model-type.js";

/** The fields that are keys of `config.json`. */
export type ConfigField = Exclude<keyof Wav2Vec2Config, "extra">;

interface Rule {
  readonly must: string;
  readonly holds: (value: unknown) => boolean;
}

const isWhole = (value: unknown, least: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least;
const isNumber = (value: unknown): value is number => Number.isFinite(value);
const isList = (value: unknown, least: number): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((item) => isWhole(item, least));

const count: Rule = { must: "a positive whole number", holds: (value) => isWhole(value, 1) };
const countOrNull: Rule = {
  must: "a positive whole number or null",
  holds: (value) => value === null || isWhole(value, 1),
};
const natural: Rule = { must: "a whole number of at least 0", holds: (value) => isWhole(value, 0) };
const tokenOrNull: Rule = {
  must: "a whole number of at least 0 or null",
  holds: (value) => value === null || isWhole(value, 0),
};
const tokensOrNull: Rule = {
  must: "a whole number of at least 0, a list of them or null",
  holds: (value) => value === null || isWhole(value, 0) || isList(value, 0),
};
const counts: Rule = { must: "a list of positive whole numbers", holds: (value) => isList(value, 1) };
const share: Rule = {
  must: "a number from 0 to 1",
  holds: (value) => isNumber(value) && value >= 0 && value <= 1,
};
const positive: Rule = { must: "a positive number", holds: (value) => isNumber(value) && value > 0 };
const amount: Rule = { must: "a number of at least 0", holds: (value) => isNumber(value) && value >= 0 };
const flag: Rule = { must: "true or false", holds: (value) => typeof value === "boolean" };
const oneOf = (...words: string[]): Rule => ({
  must: words.map((word) => `"${word}"`).join(" or "),
  holds: (value) => typeof value === "string" && words.includes(value),
});

const words: Rule = {
  must: "a list of one name or more",
  holds: (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((item) => typeof item === "string" && item !== ""),
};
const problemType = oneOf("regression", "single_label_classification", "multi_label_classification");

const activation = oneOf("gelu", "gelu_new", "relu", "silu");

const RULES: Readonly<Record<ConfigField, Rule>> = {
  modelType: oneOf(...MODEL_TYPES),
  vocabSize: countOrNull,
  hiddenSize: count,
  numHiddenLayers: count,
  numAttentionHeads: count,
  intermediateSize: count,
  hiddenAct: activation,
  hiddenDropout: share,
  activationDropout: share,
  attentionDropout: share,
  featProjDropout: share,
  featQuantizerDropout: share,
  finalDropout: share,
  layerdrop: share,
  initializerRange: amount,
  layerNormEps: positive,
  featExtractNorm: oneOf("group", "layer"),
  featExtractActivation: activation,
  convDim: counts,
  convStride: counts,
  convKernel: counts,
  convBias: flag,
  featProjLayerNorm: flag,
  numConvPosEmbeddings: count,
  numConvPosEmbeddingGroups: count,
  convPosKernelSize: count,
  convPosBatchNorm: flag,
  doStableLayerNorm: flag,
  applySpecAugment: flag,
  maskTimeProb: share,
  maskTimeLength: count,
  maskTimeMinMasks: natural,
  maskFeatureProb: share,
  maskFeatureLength: count,
  maskFeatureMinMasks: natural,
  numCodevectorsPerGroup: count,
  numCodevectorGroups: count,
  contrastiveLogitsTemperature: positive,
  numNegatives: count,
  codevectorDim: count,
  projCodevectorDim: count,
  diversityLossWeight: amount,
  ctcLossReduction: oneOf("sum", "mean"),
  ctcZeroInfinity: flag,
  padTokenId: tokenOrNull,
  bosTokenId: tokenOrNull,
  eosTokenId: tokensOrNull,
  addAdapter: flag,
  adapterKernelSize: count,
  adapterStride: count,
  numAdapterLayers: count,
  outputHiddenSize: count,
  adapterAttnDim: countOrNull,
  useWeightedLayerSum: flag,
  classifierProjSize: count,
  tdnnDim: counts,
  tdnnKernel: counts,
  tdnnDilation: counts,
  xvectorOutputDim: count,
  id2label: words,
  problemType: {
    must: `${problemType.must} or null`,
    holds: (value) => value === null || problemType.holds(value),
  },
  referencePadding: flag,
  featureGradMult: amount,
  featurePenaltyWeight: amount,
};

/** Keys that Hugging Face does not have. */
const OWN_FIELDS: readonly ConfigField[] = ["referencePadding", "featureGradMult", "featurePenaltyWeight"];

/** Keys that Hugging Face writes only where they differ from its default, and this project's own. */
export const SPARSE_FIELDS: readonly ConfigField[] = [
  ...OWN_FIELDS,
  ...(["featProjLayerNorm", "convPosKernelSize", "convPosBatchNorm"] as const),
  ...(["id2label", "problemType"] as const),
];

/** What only some types can have otherwise, and what it is in all others. */
const OF_TYPES: readonly [ConfigField, unknown, (type: ModelType) => boolean][] = [
  ["featProjLayerNorm", true, (type) => type === "hubert"],
  ["convPosBatchNorm", false, (type) => type === "hubert"],
  ["convPosKernelSize", 19, (type) => type === "data2vec-audio"],
  ["featExtractNorm", "layer", (type) => type !== "data2vec-audio"],
  ["doStableLayerNorm", false, (type) => type !== "data2vec-audio"],
];

export const CONFIG_FIELDS = Object.keys(RULES) as ConfigField[];

/** Advice where a key is misspelt, or spelt as in config.json. */
function meantBy(field: string): string {
  const camelCase = field.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  if (Object.hasOwn(RULES, camelCase)) return ` In code it is ${camelCase}.`;
  const meant = nearest(camelCase, CONFIG_FIELDS);
  return meant === undefined ? "" : ` Did you mean ${meant}?`;
}

/**
 * Every field there, of its kind, and in keeping with the others.
 * @throws {ConfigurationError} one message with everything that is wrong
 */
export function checkConfig(values: Record<string, unknown>, source: string): Wav2Vec2Config {
  const problems: string[] = [];
  for (const field of Object.keys(values)) {
    if (field !== "extra" && !Object.hasOwn(RULES, field)) {
      problems.push(`${field} must be a key of the model configuration, but is not.${meantBy(field)}`);
    }
  }
  for (const field of CONFIG_FIELDS) {
    const { must, holds } = RULES[field];
    if (holds(values[field])) continue;
    if (field === "outputHiddenSize" && values[field] === values.hiddenSize) continue; // it only follows
    problems.push(`${stateName(field)} must be ${must}, but is ${show(values[field])}.`);
  }
  if (problems.length === 0) problems.push(...contradictions(values as unknown as Wav2Vec2Config));
  if (problems.length > 0) throw new ConfigurationError(`${source}: ${problems.join("\n")}`);
  return values as unknown as Wav2Vec2Config;
}

function contradictions(config: Wav2Vec2Config): string[] {
  const problems: string[] = [];
  for (const [field, value, isFree] of OF_TYPES) {
    if (config[field] === value || isFree(config.modelType)) continue;
    problems.push(
      `${stateName(field)} must be ${show(value)} where model_type is "${config.modelType}", but is ${show(config[field])}. ` +
        "That network has no other.",
    );
  }
  const divides = (
    [whole, part]: [ConfigField, ConfigField],
    near: (size: number, parts: number) => string,
  ) => {
    const [size, parts] = [config[whole] as number, config[part] as number];
    if (size % parts === 0) return;
    problems.push(
      `${stateName(whole)} must be divisible by ${stateName(part)}, but ${size} is not divisible by ${parts}. ` +
        near(size, parts),
    );
  };
  const takeDivisor = (size: number, parts: number) => `Take ${closestDivisor(size, parts)}, for example.`;
  divides(["hiddenSize", "numAttentionHeads"], takeDivisor);
  divides(["hiddenSize", "numConvPosEmbeddingGroups"], takeDivisor);
  divides(["codevectorDim", "numCodevectorGroups"], takeDivisor);

  const equallyLong = (fields: readonly ConfigField[], each: string) => {
    const lengths = fields.map((field) => (config[field] as readonly number[]).length);
    if (new Set(lengths).size === 1) return;
    const listed = (words: readonly (string | number)[]) =>
      `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
    problems.push(
      `${listed(fields.map(stateName))} must have equal lengths, but have ${listed(lengths)}. Give one value ${each}.`,
    );
  };
  equallyLong(["convDim", "convStride", "convKernel"], "a convolution");
  equallyLong(["tdnnDim", "tdnnKernel", "tdnnDilation"], "a time-delay layer");
  if (config.vocabSize !== null && config.padTokenId !== null && config.padTokenId >= config.vocabSize) {
    problems.push(
      `pad_token_id must be below vocab_size, but is ${config.padTokenId} of ${config.vocabSize}. It is the CTC blank.`,
    );
  }
  return problems;
}

/** Hugging Face refuses `1` for these, which its dataclass declares as floats: they are written as `1.0`. */
export const FLOAT_FIELDS: readonly ConfigField[] = [
  "initializerRange",
  "layerNormEps",
  "contrastiveLogitsTemperature",
  "diversityLossWeight",
];

function closestDivisor(size: number, parts: number): number {
  for (let distance = 1; ; distance++) {
    if (parts > distance && size % (parts - distance) === 0) return parts - distance;
    if (size % (parts + distance) === 0) return parts + distance;
  }
}

function show(value: unknown): string {
  if (value === undefined) return "missing";
  const text = typeof value === "number" ? String(value) : JSON.stringify(value);
  return text === undefined ? typeof value : text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
