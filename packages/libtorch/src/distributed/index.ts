export * from "./distributed-error.js";
export * from "./process-group.js";
export * from "./reducer.js";
export * from "./same-values.js";
export * from "./tcp-store.js";
