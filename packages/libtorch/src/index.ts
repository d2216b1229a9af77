export { type ArangeOptions, arange } from "./arange.js";
export type { NestedArray } from "./array-data.js";
export * from "./autocast.js";
export * from "./autograd.js";
export * from "./checkpoint.js";
export * from "./device.js";
export * as distributed from "./distributed/index.js";
export { BridgeError, TorchError, type TorchErrorCode } from "./errors.js";
export { type CudaBuild, cudaBuild } from "./gpu/cuda-build.js";
export { type GpuReport, gpuReport } from "./gpu/gpu-report.js";
export { isTensor, keep, scope } from "./handles.js";
export { MappedFileError, mapFile } from "./mapped-file.js";
export * as nn from "./nn/index.js";
export { type NumericsFault, type NumericsReport, numericsCheck } from "./numerics-check.js";
export { openTensors } from "./open-tensors.js";
export { type OperatorArgument, type OperatorResult, operator } from "./operator.js";
export * from "./operators.generated.js";
export * as optim from "./optim/index.js";
export * from "./profile.js";
export * from "./runtime.js";
export * from "./safetensors.js";
export {
  copyParameters,
  type SharedParameter,
  shareParameters,
  useParameters,
} from "./shared-parameters.js";
export * from "./snapshot.js";
export * from "./tensor.js";
export {
  loadState,
  loadTensors,
  type StateMismatch,
  saveTensors,
} from "./tensor-file.js";
export { type FileRange, type TensorEntry, TensorFileError, type TensorSource } from "./tensor-source.js";
