import { cuesOf } from "./cues.js";
import { spacedWords, type Transcript, type TranscriptWriter, wordsOf } from "./transcript.js";

/** SubRip: https://docs.fileformat.com/video/srt/ */
export class SrtWriter implements TranscriptWriter {
  #cues = 0;

  begin(): string {
    return "";
  }

  add(transcript: Transcript): string {
    return cuesOf(spacedWords(transcript.text, wordsOf(transcript, "SRT")), transcript.end)
      .map((cue) => {
        this.#cues++;
        return `${this.#cues}\n${clock(cue.start, ",")} --> ${clock(cue.end, ",")}\n${cue.lines.join("\n")}\n\n`;
      })
      .join("");
  }

  end(): string {
    return "";
  }
}

/** WebVTT: https://www.w3.org/TR/webvtt1/ */
export class VttWriter implements TranscriptWriter {
  begin(): string {
    return "WEBVTT\n\n";
  }

  add(transcript: Transcript): string {
    return cuesOf(spacedWords(transcript.text, wordsOf(transcript, "WebVTT")), transcript.end)
      .map(
        (cue) =>
          `${clock(cue.start, ".")} --> ${clock(cue.end, ".")}\n${escapeVtt(cue.lines.join("\n"))}\n\n`,
      )
      .join("");
  }

  end(): string {
    return "";
  }
}

/** Also takes the arrow apart, which would make a line of times out of a text. */
function escapeVtt(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** 01:02:03.456 */
function clock(seconds: number, point: string): string {
  const milliseconds = Math.round(seconds * 1000);
  const part = (divisor: number, base: number, digits: number) =>
    String(Math.floor(milliseconds / divisor) % base).padStart(digits, "0");
  const hours = String(Math.floor(milliseconds / 3_600_000)).padStart(2, "0");
  return `${hours}:${part(60_000, 60, 2)}:${part(1000, 60, 2)}${point}${part(1, 1000, 3)}`;
}
