import { UserError } from "../../errors.js";
import type { ClipFault } from "./findings.js";

/** The kind of what `readAudio` refuses. */
export function audioFault(error: unknown): ClipFault {
  if (!(error instanceof UserError)) return "unreadable-audio";
  if (error.message.includes("cancel each other out")) return "cancelled-channels";
  if (error.code === "ERR_AUDIO_TRUNCATED") return "truncated-audio";
  return error.code === "ERR_AUDIO_CORRUPT" ? "corrupt-audio" : "unreadable-audio";
}
