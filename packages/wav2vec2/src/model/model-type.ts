/**
 * Networks that are this one under other names, by `model_type` of Hugging Face's `config.json`: what differs stands in their
 * configurations. `prefix` is what stands before the network's keys in a model with a head, `classes` how the names of
 * classes begin.
 *
 * HuBERT: Hsu et al. 2021 (arXiv 2106.07447); data2vec: Baevski et al. 2022 (arXiv 2202.03555); UniSpeech: Wang et al. 2021
 * (arXiv 2101.07597); UniSpeech-SAT: Chen et al. 2021 (arXiv 2110.05752).
 */
const FAMILIES = {
  wav2vec2: { prefix: "wav2vec2.", classes: "Wav2Vec2" },
  hubert: { prefix: "hubert.", classes: "Hubert" },
  "data2vec-audio": { prefix: "data2vec_audio.", classes: "Data2VecAudio" },
  unispeech: { prefix: "unispeech.", classes: "UniSpeech" },
  "unispeech-sat": { prefix: "unispeech_sat.", classes: "UniSpeechSat" },
} as const;

/** Which of the networks a model is; all compute as wav2vec 2.0 does, with what their configurations say. */
export type ModelType = keyof typeof FAMILIES;

export const MODEL_TYPES = Object.keys(FAMILIES) as ModelType[];

/** Why other networks of Hugging Face's are not this one. */
const OTHERS: Readonly<Record<string, string>> = {
  wavlm: "whose attention is biased by gated relative positions",
  "wav2vec2-conformer": "whose layers are Conformer blocks",
  "wav2vec2-bert": "which reads filter banks instead of samples, with Conformer blocks",
  sew: "which squeezes frames before its layers",
  "sew-d": "which squeezes frames before its layers, whose attention is disentangled",
  mctct: "which reads filter banks instead of samples",
  parakeet_ctc: "which reads filter banks instead of samples, with Conformer blocks",
  lasr_ctc: "which reads filter banks instead of samples, with Conformer blocks",
  "speech-encoder-decoder": "whose text a decoder writes word by word",
  speech_to_text: "whose text a decoder writes word by word",
  speech_to_text_2: "whose text a decoder writes word by word",
  speecht5: "whose text a decoder writes word by word",
  whisper: "whose text a decoder writes word by word",
  moonshine: "whose text a decoder writes word by word",
  seamless_m4t: "whose text a decoder writes word by word",
  seamless_m4t_v2: "whose text a decoder writes word by word",
};

export function isModelType(value: unknown): value is ModelType {
  return typeof value === "string" && Object.hasOwn(FAMILIES, value);
}

/** What sets another `model_type` apart, such as "whose layers are Conformer blocks"; undefined where it is not known. */
export function differenceOf(modelType: unknown): string | undefined {
  return typeof modelType === "string" && Object.hasOwn(OTHERS, modelType) ? OTHERS[modelType] : undefined;
}

/** {@link FAMILIES}' prefixes without their dots, for a regular expression. */
export const PREFIXES = Object.values(FAMILIES)
  .map(({ prefix }) => prefix.slice(0, -1))
  .join("|");

const OWN_PREFIX = FAMILIES.wav2vec2.prefix;
const PREFIX = new RegExp(`^(?:${PREFIXES})\\.`);
const CLASS = new RegExp(
  `^(?:${Object.values(FAMILIES)
    .map(({ classes }) => classes)
    .join("|")})(?=Model$|For[A-Z])`,
);

/** A key as a class of this project has it: `hubert.encoder.…` is `wav2vec2.encoder.…`. */
export function ownKey(key: string): string {
  return key.replace(PREFIX, OWN_PREFIX);
}

/** A key as Hugging Face's class of a type has it: the other way round. */
export function keyOfType(key: string, type: ModelType): string {
  return key.startsWith(OWN_PREFIX) ? `${FAMILIES[type].prefix}${key.slice(OWN_PREFIX.length)}` : key;
}

/** A class's name as this project has it: `HubertForCTC` is `Wav2Vec2ForCTC`; names of other classes stay. */
export function ownClass(name: string): string {
  return name.replace(CLASS, FAMILIES.wav2vec2.classes);
}

/** A class's name as Hugging Face has it for a type: the other way round. */
export function classOfType(name: string, type: ModelType): string {
  return name.replace(CLASS, FAMILIES[type].classes);
}
