export { editDistance } from "@wav2vec2/libtorch/nearest";
