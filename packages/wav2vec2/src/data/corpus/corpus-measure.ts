import { SAMPLE_RATE, samplesUntil } from "../../audio/audio-file.js";
import { resampledLength } from "../../audio/resampling/resample.js";
import type { Utterance } from "../utterance.js";
import type { Clip } from "./corpus-clip.js";
import type { Part } from "./corpus-parts.js";
import type { CorpusProblem } from "./corpus-problem.js";
import type { AudioHeader } from "./index/index-file.js";
import { type HeaderOptions, type HeaderProblem, readHeaders } from "./index/index-headers.js";

// Ends of parts are often written with two decimals: that much beyond the file means its end.
const END_TOLERANCE_SECONDS = 0.01;

/** The audio files of a part, each once. */
export function audioFiles({ clips }: Part): string[] {
  return [...new Set(clips.map(({ path }) => path))];
}

/** Makes utterances of the clips, with lengths from the headers of their files. */
export async function measureClips(
  part: Part,
  { transcripts, ...options }: HeaderOptions & { transcripts: "required" | "none" },
): Promise<{ utterances: Utterance[]; problems: CorpusProblem[] }> {
  const { source, clips } = part;
  const utterances: Utterance[] = [];
  const problems: CorpusProblem[] = [];
  if (clips.length === 0) return { utterances, problems };
  const paths = audioFiles(part);
  const headers = await readHeaders(source.path, paths, options);
  const position = paths.length < clips.length ? new Map(paths.map((path, i) => [path, i])) : undefined;
  for (const [i, clip] of clips.entries()) {
    const header = headers[position?.get(clip.path) ?? i]!;
    const problem = "kind" in header ? header : checkPart(clip, header);
    if (problem) {
      const message = clip.where === undefined ? problem.message : `${clip.where}: ${problem.message}`;
      problems.push({ id: clip.id, file: clip.path, kind: problem.kind, message });
    } else if (transcripts === "none" || clip.text !== undefined)
      utterances.push(toUtterance(clip, header as AudioHeader));
  }
  return { utterances, problems };
}

/** Whether the part of the file lies within it; sets an end that means the file's. */
function checkPart(clip: Clip, header: AudioHeader): HeaderProblem | undefined {
  if (clip.start === undefined && clip.end === undefined) return undefined;
  const seconds = header.samples / header.sampleRate;
  const wrong = (what: string): HeaderProblem => ({
    kind: "segment",
    message: `${what} of utterance ${clip.id} must be within ${clip.path} of ${seconds} s, but is`,
  });
  if (clip.start !== undefined && clip.start >= seconds) {
    const { kind, message } = wrong("start");
    return { kind, message: `${message} ${clip.start} s.` };
  }
  if (clip.end !== undefined && clip.end > seconds + END_TOLERANCE_SECONDS) {
    const { kind, message } = wrong("end");
    return { kind, message: `${message} ${clip.end} s.` };
  }
  if (clip.end !== undefined && clip.end >= seconds) clip.end = undefined;
  if (partSamples(clip, header) > 0) return undefined;
  return { kind: "segment", message: `utterance ${clip.id} must hold audio, but is shorter than a sample.` };
}

/** Samples at 16 kHz, as reading the part gives them. */
function partSamples({ start, end }: Clip, header: AudioHeader): number {
  if (start === undefined && end === undefined) return header.samplesAt16k;
  const from = start === undefined ? 0 : samplesUntil(start, header.sampleRate);
  const to = end === undefined ? header.samples : samplesUntil(end, header.sampleRate);
  return resampledLength(to - from, header.sampleRate, SAMPLE_RATE);
}

function toUtterance(clip: Clip, header: AudioHeader): Utterance {
  const { id, path, start, end, text, split, speaker, chapter, columns } = clip;
  const samples = partSamples(clip, header);
  const utterance: Utterance = { id, path, samples, seconds: samples / SAMPLE_RATE };
  if (start !== undefined) utterance.start = start;
  if (end !== undefined) utterance.end = end;
  if (text !== undefined) utterance.text = text;
  if (split !== undefined) utterance.split = split;
  if (speaker !== undefined) utterance.speaker = speaker;
  if (chapter !== undefined) utterance.chapter = chapter;
  if (columns !== undefined) utterance.columns = columns;
  return utterance;
}
