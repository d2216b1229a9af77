export { homeDirectory } from "@wav2vec2/libtorch/places";
