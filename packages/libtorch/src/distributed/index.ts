export * from "./distributed-error.js";
export * from "./process-group.js";
export * from "./tcp-store.js";
