export { listSplits } from "./corpus-splits.js";
