import { median } from "../../tracking/report/median.js";
import type { MetricsHistory } from "../loop/metrics-history.js";

/** What the watchdog needs to know of a recipe and its model to judge metrics. */
export interface WatchdogOptions {
  /** Distractors of a masked frame: they decide what the loss of guessing is. */
  negatives: number;
  /** Entries of all codebooks together. */
  entries: number;
  /** Codebooks. */
  groups: number;
  warmupSteps: number;
  maxSteps: number;
  maxGradNorm: number;
}

/** All that was seen. */
export interface Seen {
  training: MetricsHistory;
  /** Its names are without `eval/`; `training_loss` is the contrastive loss of training at that time. */
  validation: MetricsHistory;
  options: WatchdogOptions;
}

/** Something that can be wrong. */
export interface Finding {
  name: string;
  /** Judged at validations instead of logging steps. */
  validation: boolean;
  /** Steps that it must hold without a break before it is said. */
  lasting: number;
  /** Names of findings that it only follows from: once one of these was said, it is not. */
  explainedBy: readonly string[];
  /** How the sentence begins: people search docs/pretraining-troubles.md for it. */
  opening: string;
  /** @returns the sentence where it holds at the newest row */
  find(seen: Seen): string | undefined;
}

/** A share of all entries. Users report lows of 18 (facebookresearch/fairseq#2981) and 26 (#3391) of 640 without a collapse. */
const FEW_ENTRIES = 0.02;

/**
 * All targets alike (huggingface/transformers#14387: loss 0, perplexity 2.0): where every distractor has the target's
 * own codes none is left, so that accuracy is 1 and no gradient leads out again.
 */
const collapse: Finding = {
  name: "collapse",
  validation: false,
  lasting: 30,
  explainedBy: [],
  opening: "The codebooks must stay in use, but have collapsed",
  find({ training, options: { entries, groups } }) {
    const total = training.latest("codevector_perplexity");
    const each = Array.from({ length: groups }, (_, group) =>
      training.latest(`codevector_perplexity_${group}`),
    );
    const single = each.findIndex((value) => value <= 1.5);
    // With few entries even a healthy codebook's perplexity is that low.
    if (entries / groups < 20 || !(total <= 2 * groups || single !== -1)) return undefined;
    const what =
      total <= 2 * groups || groups === 1
        ? `codevector_perplexity is ${show(total)} of ${entries}`
        : `codevector_perplexity_${single} is ${show(each[single]!)} of ${entries / groups}`;
    const wasHigher = training.all("codevector_perplexity").some((value) => value > 3 * groups);
    const cause = wasHigher ? "" : " It never was higher: listen whether the audio is silent.";
    return (
      `${this.opening}: ${what}. With targets alike, accuracy ${percent(training.latest("accuracy"))} and contrastive loss ` +
      `${show(training.latest("contrastive_loss"))} mean nothing, and this does not mend itself.${cause} Start anew with a lower ` +
      "optimizer.learning_rate, more schedule.warmup_steps, a larger batch (gradient_accumulation) or a higher " +
      "model.diversity_loss_weight."
    );
  },
};

/** On the way to a collapse; some runs come back from it. */
const fewEntries: Finding = {
  name: "few entries",
  validation: false,
  lasting: 60,
  explainedBy: ["collapse"],
  opening: "More of the codebooks should be in use",
  find({ training, options: { entries } }) {
    const total = training.latest("codevector_perplexity");
    if (!(total <= FEW_ENTRIES * entries)) return undefined;
    return (
      `${this.opening}: codevector_perplexity is ${show(total)} of ${entries}. It may be low early, but hardly below ` +
      `${show(FEW_ENTRIES * entries)} in a healthy run, and grows again. Accuracy ` +
      `(${percent(training.latest("accuracy"))}) is easy to get with few entries. Where it does not grow, raise ` +
      "model.diversity_loss_weight, lower optimizer.learning_rate, or take a larger batch (gradient_accumulation)."
    );
  },
};

/** facebookresearch/fairseq#3661, #3718, #3744, #4530. */
const frozen: Finding = {
  name: "frozen",
  validation: false,
  lasting: 0,
  explainedBy: ["collapse"],
  opening: "The contrastive loss should fall below chance, but does not move",
  find({ training, options: { negatives, warmupSteps } }) {
    const chance = Math.log(1 + negatives);
    const steps = Math.max(250, Math.round(warmupSteps / 4));
    const losses = training.over("contrastive_loss", steps);
    const half = Math.floor(losses.length / 2);
    const level = mean(losses);
    const moved = Math.abs(mean(losses.slice(0, half)) - mean(losses.slice(half)));
    if (!(level >= 0.98 * chance && moved <= 0.005 * chance)) return undefined;
    const warming = training.step < warmupSteps ? `, in warm-up until step ${warmupSteps}` : "";
    return (
      `${this.opening}: for ${steps} steps it has stood at ${show(level)}, ${show(level / chance)} of chance ` +
      `(${show(chance)}). Usually the learning rate is too low (now ${show(training.latest("learning_rate"))}${warming}), or was too ` +
      "high and destroyed what was learned: change optimizer.learning_rate or schedule.warmup_steps. Other causes: too " +
      `little audio an update (${show(training.latest("audio_seconds"))} s; gradient_accumulation gives more), or audio that is ` +
      "silent or the same everywhere."
    );
  },
};

/** facebookresearch/fairseq#3687, #3735. Healthy BASE runs reach 63 % after 400,000 steps. */
const falseSuccess: Finding = {
  name: "false success",
  validation: false,
  lasting: 50,
  explainedBy: ["collapse"],
  opening: "The accuracy looks like success, but is none",
  find({ training, options: { entries } }) {
    const accuracy = training.latest("accuracy");
    const perplexity = training.latest("codevector_perplexity");
    const share = training.latest("mask_share");
    const earlier = Math.min(...training.over("accuracy", 200));
    if (!(accuracy >= 0.7)) return undefined;
    const reasons: string[] = [];
    if (perplexity <= 0.05 * entries)
      reasons.push(
        `codevector_perplexity is ${show(perplexity)} of ${entries}, so few targets are left to tell apart`,
      );
    if (share < 0.1)
      reasons.push(`mask_share is ${percent(share)}, so the frames around give the hidden ones away`);
    if (reasons.length === 0 && accuracy - earlier >= 0.5)
      reasons.push(`it rose from ${percent(earlier)} within 200 steps, as no healthy run's does`);
    if (reasons.length === 0) return undefined;
    return (
      `${this.opening}: accuracy is ${percent(accuracy)} and contrastive loss ${show(training.latest("contrastive_loss"))}, but ` +
      `${reasons.join(", and ")}. Lower optimizer.learning_rate or raise model.diversity_loss_weight where few entries are in use; ` +
      "mask as the paper does (model.mask_time_prob 0.65, model.mask_time_length 10); look whether clips repeat or are silent."
    );
  },
};

/**
 * Hugging Face's advice for pre-training, of the norm before clipping:
 * https://github.com/huggingface/transformers/tree/main/examples/pytorch/speech-pretraining
 */
const gradientNorm: Finding = {
  name: "gradient norm",
  validation: false,
  lasting: 0,
  explainedBy: ["collapse", "frozen", "false success"],
  opening: "The gradient norm should be between 0.5 and 2",
  find({ training, options: { warmupSteps, maxSteps, maxGradNorm } }) {
    const steps = Math.max(500, Math.round(maxSteps / 20));
    if (training.step - steps < warmupSteps) return undefined;
    const norm = median(training.over("grad_norm", steps));
    if (!(norm > 2 || norm < 0.5)) return undefined;
    const start = `${this.opening}, but over the last ${steps} steps its median is ${show(norm)}`;
    if (norm < 0.5) {
      return (
        `${start}. Gradients this small teach slowly: where the loss still falls, nothing is wrong; where it does not, ` +
        "raise optimizer.learning_rate, or look whether the audio is silent or the same everywhere."
      );
    }
    const cut =
      norm > maxGradNorm ? ` (updates are cut to optimizer.max_grad_norm, ${show(maxGradNorm)})` : "";
    return (
      `${start}${cut}. Usually the batch is too small (gradient_accumulation makes it larger) or optimizer.learning_rate ` +
      "too high. Where the loss falls and codevector_perplexity grows, it can be left."
    );
  },
};

/** The loss of validation, with its fixed masks, against that of training. */
const memorising: Finding = {
  name: "memorising",
  validation: true,
  lasting: 0,
  explainedBy: ["collapse"],
  opening: "Validation gets worse while training gets better",
  find({ validation }) {
    const learned = validation.all("training_loss");
    const points = validation
      .all("contrastive_loss")
      .map((held, index) => ({ held, learned: learned[index]! }))
      .filter(({ held, learned }) => Number.isFinite(held) && Number.isFinite(learned));
    const now = points.at(-1);
    if (!now) return undefined;
    const best = points.reduce((lowest, point) => (point.held < lowest.held ? point : lowest));
    const after = points.slice(points.indexOf(best) + 1);
    const lately = after.slice(-3);
    const worse = lately.length === 3 && lately.every(({ held }) => held > 1.02 * best.held);
    if (!worse || now.learned >= 0.95 * best.learned) return undefined;
    return (
      `${this.opening}: ${after.length} validations ago its contrastive loss was ${show(best.held)}, now it is ` +
      `${show(now.held)}, while that of training fell from ${show(best.learned)} to ${show(now.learned)}. The model ` +
      "learns the clips by heart. More audio is what helps; else stop (best/ holds the best model), take a smaller model, or more " +
      "dropout (model.hidden_dropout, model.attention_dropout) and model.layerdrop."
    );
  },
};

const dataWait: Finding = {
  name: "data wait",
  validation: false,
  lasting: 0,
  explainedBy: [],
  opening: "Training waits for audio",
  find({ training }) {
    const share = mean(training.over("data_wait_share", 200));
    if (!(share > 0.2)) return undefined;
    return (
      `${this.opening} ${percent(share)} of the time. Raise data.workers, keep the audio on a faster disk, or leave out ` +
      "augmentation (data.speed_perturbation, data.noise, data.reverberation)."
    );
  },
};

const maskShare: Finding = {
  name: "mask share",
  validation: false,
  lasting: 50,
  explainedBy: [],
  opening: "About half of the frames should be masked",
  find({ training }) {
    const share = training.latest("mask_share");
    if (!(share < 0.1 || share > 0.9)) return undefined;
    const cause =
      share < 0.1
        ? "Hidden frames are then easy to guess from their neighbours and few are learned from. Raise model.mask_time_prob " +
          "(it is divided by the span's length: the paper's 0.065 is 0.65 here) or model.mask_time_length."
        : "Too little is left to guess them from. Lower model.mask_time_prob, model.mask_time_length or " +
          "model.mask_time_min_masks, or leave out short clips (data.min_seconds).";
    return `${this.opening} (49 % with the paper's spans), but ${percent(share)} are. ${cause}`;
  },
};

/** "Minimum loss scale reached": facebookresearch/fairseq#968, #1529, #3684, #4555. */
const lossScale: Finding = {
  name: "loss scale",
  validation: false,
  lasting: 100,
  explainedBy: [],
  opening: "The loss scale of float16 should stay above 1",
  find({ training }) {
    const scale = training.latest("loss_scale");
    if (!(scale < 1)) return undefined;
    return (
      `${this.opening}, but is ${show(scale)}: gradients overflow again and again. Set precision to bfloat16, or lower ` +
      "optimizer.learning_rate."
    );
  },
};

/** What the watchdog looks for, causes before what follows from them. */
export const PRETRAINING_FINDINGS: readonly Finding[] = [
  collapse,
  fewEntries,
  frozen,
  falseSuccess,
  gradientNorm,
  memorising,
  dataWait,
  maskShare,
  lossScale,
];

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length; // NaN of none
}

function show(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : "unknown";
}

function percent(share: number): string {
  return `${show(100 * share)} %`;
}
