import { type Kind, SAMPLES } from "../../argument-kinds.js";

/** Of frames, row by row. */
export const LOGITS: Kind = {
  must: "a Float32Array [frames * vocabulary]",
  holds: SAMPLES.holds,
  advice: (value) =>
    typeof value === "object" && value !== null && "toFloat32Array" in value
      ? "Give its toFloat32Array()."
      : undefined,
};
