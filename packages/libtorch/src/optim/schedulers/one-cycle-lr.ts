import { checkBoolean, checkChoice, checkCount, checkNumber, checkOptions } from "../../arguments.js";
import { argumentError } from "../../errors.js";
import type { Optimizer } from "../optimizer.js";
import { LRScheduler } from "./scheduler.js";

export interface OneCycleLROptions {
  /** The highest rate; the optimiser's own is not used. PyTorch: `max_lr`. */
  maxLearningRate: number;
  /** Steps of the whole cycle; a step more is refused. */
  totalSteps: number;
  /** The share of the steps in which the rate rises; 0.3 when left out. */
  pctStart?: number | undefined;
  /** The shape of rise and fall; "cos" when left out. */
  annealStrategy?: "cos" | "linear" | undefined;
  /** The first rate is the highest divided by this; 25 when left out. */
  divFactor?: number | undefined;
  /** The last rate is the first divided by this; 1e4 when left out. */
  finalDivFactor?: number | undefined;
  /** Whether to fall to the first rate as long as it rose, and to the last one behind it. False when left out. */
  threePhase?: boolean | undefined;
}

const OPTION_KEYS = [
  "maxLearningRate",
  "totalSteps",
  "pctStart",
  "annealStrategy",
  "divFactor",
  "finalDivFactor",
  "threePhase",
];

/**
 * The learning rate rises from a low to a high one and falls to one far below (Smith and Topin 2017, arXiv 1708.07120;
 * PyTorch: `OneCycleLR` with `cycle_momentum=False`).
 */
export class OneCycleLR extends LRScheduler {
  readonly #totalSteps: number;
  /** Ends of the phases: the step, and the rate there. */
  readonly #turns: readonly (readonly [step: number, rate: number])[];
  readonly #between: (from: number, to: number, share: number) => number;

  constructor(optimizer: Optimizer, options: OneCycleLROptions) {
    super(optimizer);
    const kind = "OneCycleLR";
    checkOptions(kind, options, OPTION_KEYS, ["maxLearningRate", "totalSteps"]);
    const { maxLearningRate, totalSteps, pctStart = 0.3, annealStrategy = "cos" } = options;
    const { divFactor = 25, finalDivFactor = 1e4, threePhase = false } = options;
    checkNumber(kind, "maxLearningRate", maxLearningRate, "(0, Infinity)");
    checkCount(kind, "totalSteps", totalSteps, 1);
    checkNumber(kind, "pctStart", pctStart, "[0, 1]");
    checkChoice(kind, "annealStrategy", annealStrategy, ["cos", "linear"]);
    checkNumber(kind, "divFactor", divFactor, "(0, Infinity)");
    checkNumber(kind, "finalDivFactor", finalDivFactor, "(0, Infinity)");
    checkBoolean(kind, "threePhase", threePhase);
    const first = maxLearningRate / divFactor;
    const last = first / finalDivFactor;
    const top = pctStart * totalSteps - 1;
    this.#totalSteps = totalSteps;
    this.#between = annealStrategy === "cos" ? cosine : linear;
    this.#turns = [
      [0, first],
      [top, maxLearningRate],
      ...(threePhase ? [[2 * top, first] as const] : []),
      [totalSteps - 1, last],
    ];
    this.stepTo(0);
  }

  learningRateAt(epoch: number): number {
    if (epoch > this.#totalSteps)
      throw argumentError(
        "OneCycleLR",
        `step ${epoch} must be one of totalSteps, but there are only ${this.#totalSteps}. Raise totalSteps`,
      );
    const turns = this.#turns;
    const place = turns.findIndex(([step], i) => i > 0 && (epoch <= step || i === turns.length - 1));
    const [[start, from], [end, to]] = [turns[place - 1]!, turns[place]!];
    return this.#between(from, to, end > start ? (epoch - start) / (end - start) : 1);
  }
}

function cosine(from: number, to: number, share: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;
}

function linear(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}
