export { CosineAnnealingLR, type CosineAnnealingLROptions } from "./cosine-annealing-lr.js";
export { LambdaLR } from "./lambda-lr.js";
export { LinearLR, type LinearLROptions } from "./linear-lr.js";
export { OneCycleLR, type OneCycleLROptions } from "./one-cycle-lr.js";
export {
  type PlateauState,
  ReduceLROnPlateau,
  type ReduceLROnPlateauOptions,
} from "./reduce-lr-on-plateau.js";
export { LRScheduler, type SchedulerState } from "./scheduler.js";
export { SequentialLR, type SequentialLROptions, type SequentialState } from "./sequential-lr.js";
export { StepLR, type StepLROptions } from "./step-lr.js";
