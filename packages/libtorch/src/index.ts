export * from "./autocast.js";
export * from "./autograd.js";
export * from "./checkpoint.js";
export * from "./device.js";
export * as distributed from "./distributed/index.js";
export { BridgeError, TorchError, type TorchErrorCode } from "./errors.js";
export { MappedFileError, mapFile } from "./files/mapped-file.js";
export { openTensors } from "./files/open-tensors.js";
export * from "./files/safetensors.js";
export {
  loadState,
  loadTensors,
  type StateMismatch,
  saveTensors,
} from "./files/tensor-file.js";
export {
  type FileRange,
  type TensorEntry,
  TensorFileError,
  type TensorSource,
} from "./files/tensor-source.js";
export { type CudaBuild, cudaBuild } from "./gpu/cuda-build.js";
export { type GpuReport, gpuReport } from "./gpu/gpu-report.js";
export * as nn from "./nn/index.js";
export { type NumericsFault, type NumericsReport, numericsCheck } from "./operators/numerics-check.js";
export { type OperatorArgument, type OperatorResult, operator } from "./operators/operator.js";
export * from "./operators/operators.generated.js";
export * as optim from "./optim/index.js";
export * from "./profile.js";
export * from "./runtime.js";
export { type ArangeOptions, arange } from "./tensors/arange.js";
export type { NestedArray } from "./tensors/array-data.js";
export { isTensor, keep, scope } from "./tensors/handles.js";
export {
  copyParameters,
  type SharedParameter,
  shareParameters,
  useParameters,
} from "./tensors/shared-parameters.js";
export * from "./tensors/snapshot.js";
export * from "./tensors/tensor.js";
