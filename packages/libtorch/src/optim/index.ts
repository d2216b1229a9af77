export * from "./accumulation.js";
export * from "./adamw.js";
export * from "./clip-grad-norm.js";
export * from "./grad-scaler.js";
