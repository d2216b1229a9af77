// What the threads of a WorkerPool run to check clips.
export { checkClips as default } from "./check-clips.js";
