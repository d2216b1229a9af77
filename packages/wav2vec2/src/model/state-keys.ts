import { UserError } from "../errors.js";
import { ownKey, PREFIXES } from "./model-type.js";

/** The classes whose parameters a checkpoint may hold, by Hugging Face's names. */
export type ModelClass =
  | "Wav2Vec2Model"
  | "Wav2Vec2ForPreTraining"
  | "Wav2Vec2ForCTC"
  | "Wav2Vec2ForSequenceClassification"
  | "Wav2Vec2ForAudioFrameClassification"
  | "Wav2Vec2ForXVector";

/** What the keys of a checkpoint are read as. */
export interface StateTarget {
  /** What stands before the keys of the network: `wav2vec2.` in models with a head, nothing in the network alone. */
  readonly backbone: string;
  /** Whether a key is a parameter; of those below `backbone` it need not know. */
  owns(key: string): boolean;
}

/** How the keys of one checkpoint read as the parameters of one class. */
export interface StateKeys {
  /** Whose names the file uses. */
  readonly naming: "Hugging Face" | "fairseq";
  /** Keys of the file that are parameters of another class's head, such as the quantizer's where the target is CTC. */
  readonly leftOut: readonly string[];
  /** Keys of the file that no wav2vec 2.0 model has. */
  readonly unknown: readonly string[];
  /**
   * The target's parameter under a key of the file; undefined for the keys of `leftOut`. Unknown keys come back as
   * they are, so that who loads finds no parameter under them.
   */
  rename(key: string): string | undefined;
}

/** The network's own parts, which carry the prefix `wav2vec2.` in a model with a head, or that of another model type. */
const BODY = /^(masked_spec_embed$|(feature_extractor\.conv_layers|feature_projection|encoder|adapter)\.)/;
const PREFIX = "wav2vec2.";

/** Which class has which head. */
const HEADS: Readonly<Record<ModelClass, RegExp>> = {
  Wav2Vec2Model: /^(?!)/, // none
  Wav2Vec2ForCTC: /^lm_head\./,
  Wav2Vec2ForPreTraining: /^(quantizer|project_q|project_hid)\./,
  Wav2Vec2ForSequenceClassification: /^(layer_weights|(projector|classifier)\.(weight|bias))$/,
  Wav2Vec2ForAudioFrameClassification: /^(layer_weights|classifier\.(weight|bias))$/,
  Wav2Vec2ForXVector:
    /^(layer_weights|(projector|feature_extractor|classifier)\.(weight|bias)|objective\.weight|tdnn\.\d+\.kernel\.(weight|bias))$/,
};

/** The parameters of a class by its name. */
function targetOf(modelClass: ModelClass): StateTarget {
  return {
    backbone: modelClass === "Wav2Vec2Model" ? "" : PREFIX,
    owns: (key) => HEADS[modelClass].test(key),
  };
}

/** Only fairseq nests its convolutions in sequences, calls attention `self_attn` and the weights of adapters `W_a`. */
const FAIRSEQ =
  /(^|\.)(feature_extractor\.conv_layers\.\d+\.0\.|encoder\.pos_conv\.|encoder\.layers\.\d+\.(self_attn\.|adapter_layer\.(W|b|ln)_))/;

/**
 * fairseq's names and ours, as in
 * https://github.com/facebookresearch/fairseq/blob/main/fairseq/models/wav2vec/wav2vec2.py and wav2vec2_asr.py,
 * checked against transformers' convert_wav2vec2_original_pytorch_checkpoint_to_pytorch.py.
 */
const FROM_FAIRSEQ: readonly [RegExp, string][] = [
  // Fine-tuned models keep the network two modules down, beside the linear layer over characters.
  [/^w2v_encoder\.proj\./, "lm_head."],
  [/^w2v_encoder\.w2v_model\./, ""],
  [/^mask_emb$/, "masked_spec_embed"],
  [/^(feature_extractor\.conv_layers\.\d+)\.0\./, "$1.conv."],
  [/^(feature_extractor\.conv_layers\.\d+)\.2(?:\.1)?\./, "$1.layer_norm."], // .2 is a group norm, .2.1 a layer norm
  [/^layer_norm\./, "feature_projection.layer_norm."],
  [/^post_extract_proj\./, "feature_projection.projection."],
  [/^encoder\.pos_conv\.0\./, "encoder.pos_conv_embed.conv."],
  [/^(encoder\.layers\.\d+)\.self_attn\./, "$1.attention."],
  [/^(encoder\.layers\.\d+)\.self_attn_layer_norm\./, "$1.layer_norm."],
  [/^(encoder\.layers\.\d+)\.fc1\./, "$1.feed_forward.intermediate_dense."],
  [/^(encoder\.layers\.\d+)\.fc2\./, "$1.feed_forward.output_dense."],
  [/(\.adapter_layer)\.W_a$/, "$1.linear_1.weight"],
  [/(\.adapter_layer)\.b_a$/, "$1.linear_1.bias"],
  [/(\.adapter_layer)\.W_b$/, "$1.linear_2.weight"],
  [/(\.adapter_layer)\.b_b$/, "$1.linear_2.bias"],
  [/(\.adapter_layer)\.ln_W$/, "$1.norm.weight"],
  [/(\.adapter_layer)\.ln_b$/, "$1.norm.bias"],
  [/^quantizer\.vars$/, "quantizer.codevectors"],
  [/^final_proj\./, "project_hid."],
];

/** Names of earlier years. */
const FROM_EARLIER: readonly [RegExp, string][] = [
  [/(^|\.)mask_time_emb_vector$/, "$1masked_spec_embed"],
  [/(layer_norm)\.gamma$/, "$1.weight"],
  [/(layer_norm)\.beta$/, "$1.bias"],
  // PyTorch before 2.0 named the two halves of a normalised weight so.
  [/(\bpos_conv_embed\.conv)\.weight_g$/, "$1.parametrizations.weight.original0"],
  [/(\bpos_conv_embed\.conv)\.weight_v$/, "$1.parametrizations.weight.original1"],
];

/** What compiling, checkpointing and sharding put into the names of the modules that they wrap. */
const WRAPPED = /(^|\.)(?:_orig_mod|_checkpoint_wrapped_module|_fsdp_wrapped_module)(?=\.)/g;

/** The network's first weight in either naming, behind the place of the model within what was saved. */
const FIRST_WEIGHT = new RegExp(
  `^((?:[^.]+\\.)*?)(?:w2v_encoder\\.w2v_model\\.|(?:${PREFIXES})\\.)?feature_extractor\\.conv_layers\\.0\\.(?:conv|0)\\.weight$`,
);

/**
 * Reads the keys of a checkpoint as the parameters of a class, whichever of the classes, of PyTorch's two names
 * for a normalised weight and of Hugging Face's and fairseq's names the file has, and whatever module the model was a
 * part of (`module.`, `model.`, `encoder.wav2vec2.`). Shapes are not looked at.
 *
 * @param fileKeys every key of the file: the naming is told from all of them
 * @throws UserError where two keys of the file are the same parameter
 */
export function stateKeys(fileKeys: Iterable<string>, given: ModelClass | StateTarget): StateKeys {
  const target = typeof given === "string" ? targetOf(given) : given;
  const keys = [...fileKeys];
  const fairseq = keys.some((key) => FAIRSEQ.test(key));
  const place = placeOf(keys.map(unwrapped));
  const names = new Map(
    keys.map((key): [string, Read] => {
      const name = unwrapped(key);
      if (!fairseq && target.owns(name)) return [key, { use: "own", name }];
      if (!name.startsWith(place) && !isHead(name)) return [key, UNKNOWN(key)];
      const own = name.startsWith(place) ? name.slice(place.length) : name;
      return [key, classify(fairseq ? rewrite(own, FROM_FAIRSEQ) : own, target, key)];
    }),
  );
  preferLater(names);
  const withUse = (use: Use) => keys.filter((key) => names.get(key)!.use === use);
  refuseTwice(names);
  return {
    naming: fairseq ? "fairseq" : "Hugging Face",
    leftOut: withUse("left out"),
    unknown: withUse("unknown"),
    rename(key) {
      const { use, name } = names.get(key) ?? { use: "unknown", name: key };
      if (use === "left out") return undefined;
      return use === "own" ? name : key;
    },
  };
}

function unwrapped(key: string): string {
  return key.replace(WRAPPED, "").replace(/^\./, "");
}

/** The module that the model was a part of, with a dot behind it; the outermost where there are several networks. */
function placeOf(keys: readonly string[]): string {
  const places = keys.flatMap((key) => FIRST_WEIGHT.exec(key)?.[1] ?? []);
  return places.sort((a, b) => a.length - b.length)[0] ?? "";
}

function isHead(key: string): boolean {
  return Object.values(HEADS).some((pattern) => pattern.test(key));
}

type Use = "own" | "left out" | "unknown";

interface Read {
  use: Use;
  name: string;
}

const UNKNOWN = (key: string): Read => ({ use: "unknown", name: key });

/** A file that was converted by halves holds a parameter under its earlier name as well: that one has no use. */
function preferLater(names: Map<string, Read>): void {
  const later = new Set(
    [...names].filter(([key]) => rewrite(key, FROM_EARLIER) === key).map(([, { name }]) => name),
  );
  for (const [key, { use, name }] of names)
    if (use === "own" && /(mask_time_emb_vector|gamma|beta)$/.test(key) && later.has(name))
      names.set(key, UNKNOWN(key));
}

function rewrite(key: string, rules: readonly [RegExp, string][]): string {
  return rules.reduce((name, [pattern, replacement]) => name.replace(pattern, replacement), key);
}

/**
 * @param key under Hugging Face's names, of the network alone or of a model with a head
 * @param given the file's own
 */
function classify(key: string, target: StateTarget, given: string): Read {
  if (target.owns(key)) return { use: "own", name: key };
  if (isHead(key)) return { use: "left out", name: key };
  const own = ownKey(key);
  const bare = own.startsWith(PREFIX) ? own.slice(PREFIX.length) : own;
  const current = rewrite(bare, FROM_EARLIER);
  if (!BODY.test(current)) return UNKNOWN(given);
  return { use: "own", name: `${target.backbone}${current}` };
}

function refuseTwice(names: ReadonlyMap<string, Read>): void {
  const keyOf = new Map<string, string>();
  for (const [key, { name }] of names) {
    const other = keyOf.get(name);
    if (other !== undefined)
      throw new UserError(
        `A checkpoint must hold each parameter once, but ${other} and ${key} are both ${name}. Save it anew.`,
      );
    keyOf.set(name, key);
  }
}

/**
 * The parameters of a `Wav2Vec2ForCTC` that an adapter file must hold, all of them and no others: every attention
 * adapter and the CTC head, whose rows are that language's vocabulary. Hugging Face: `_get_adapters`.
 *
 * @param moduleKeys the keys of a `Wav2Vec2ForCTC` with `adapter_attn_dim`
 */
export function adapterKeys(moduleKeys: Iterable<string>): string[] {
  return [...moduleKeys].filter((key) =>
    /^(lm_head|wav2vec2\.encoder\.layers\.\d+\.adapter_layer)\./.test(key),
  );
}
