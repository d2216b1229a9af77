import { type Format, transcriptWriter } from "../../../wav2vec2/src/text/formats/formats.js";
import type { Session } from "./session.js";

const FORMATS = [
  ["text", "TXT", "txt"],
  ["srt", "SRT", "srt"],
  ["vtt", "VTT", "vtt"],
  ["json", "JSON", "json"],
] as const satisfies readonly (readonly [Format, string, string])[];

/** The transcript in a format's writing, as `transcribe --format` has it. */
export function written(session: Session, format: Format): string {
  const writer = transcriptWriter(format, session.name);
  const parts = [writer.begin()];
  for (const segment of session.readings[0]!.segments) parts.push(writer.add(segment));
  parts.push(writer.end());
  return parts.join("");
}

export function Downloads({ session }: { session: Session }) {
  const save = (format: Format, ending: string): void => {
    const address = URL.createObjectURL(new Blob([written(session, format)], { type: "text/plain" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = `${session.name.replace(/\.[^.]*$/, "")}.${ending}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  };
  return (
    <fieldset class="downloads">
      <legend class="unseen">Download the transcript</legend>
      {FORMATS.map(([format, label, ending]) => (
        <button type="button" key={format} onClick={() => save(format, ending)}>
          {label}
        </button>
      ))}
    </fieldset>
  );
}
