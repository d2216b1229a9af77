import { isObject, type Kind } from "../argument-kinds.js";
import { isCtcModel } from "../pretrained/ctc-model-kind.js";
import { SpeechRecognizer } from "./speech-recognizer.js";

/** What transcribes: `loadRecognizer`, `loadOnnxRecognizer` and `new Recognizer` make one. */
export const RECOGNIZER: Kind = {
  must: "a Recognizer",
  holds: (value) => value instanceof SpeechRecognizer,
  advice(value) {
    if (typeof value === "string") return `Load it: await loadRecognizer(${JSON.stringify(value)}).`;
    if (isCtcModel(value)) return "Call new Recognizer(ctc).";
    if (isObject(value) && typeof value.transcribe === "function")
      return "A pool transcribes by its own transcribe.";
    return undefined;
  },
};
