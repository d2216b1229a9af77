export { nearest } from "@wav2vec2/libtorch/nearest";
