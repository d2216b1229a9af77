export * from "./accumulation.js";
export * from "./adam.js";
export * from "./adamw.js";
export * from "./clip-grad-norm.js";
export * from "./grad-scaler.js";
export {
  Optimizer,
  type OptimizerOptions,
  type OptimizerState,
  type ParameterGroup,
  type ParameterUpdate,
} from "./optimizer.js";
export * as lrScheduler from "./schedulers/index.js";
export * from "./sgd.js";
