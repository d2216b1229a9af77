export * from "./activation.js";
export * from "./conv1d.js";
export * from "./dropout.js";
export * from "./embedding.js";
export * as init from "./init.js";
export * from "./linear.js";
export * from "./module.js";
export * from "./normalization.js";
export * from "./weight-norm.js";
