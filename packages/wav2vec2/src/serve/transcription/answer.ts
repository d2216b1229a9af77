import { deflateSync } from "node:zlib";
import { roundTime } from "../../text/formats/rounding.js";
import { SrtWriter, VttWriter } from "../../text/formats/subtitles.js";
import type { TimedText, Transcript, TranscriptWriter } from "../../text/formats/transcript.js";
import { joinTexts } from "../../text/unspaced-scripts.js";
import type { TranscriptionRequest } from "./request.js";
import type { TranscriptionAnswer, VerboseAnswer } from "./schema.js";

/** What was recognised of a recording. */
export interface Recognized {
  /** Pieces with words, in order. */
  segments: readonly Transcript[];
  /** Of the recording, in seconds. */
  duration: number;
}

/** An answer's body. */
export interface Answer {
  type: string;
  body: string;
}

/** Whether words' times and characters are needed for an answer. */
export function needsWords({ response_format: format, include }: TranscriptionRequest): boolean {
  return !["json", "text"].includes(format) || include.length > 0;
}

export function answerOf(recognized: Recognized, request: TranscriptionRequest, language: string): Answer {
  const { segments } = recognized;
  switch (request.response_format) {
    case "json":
      return json(shortAnswer(recognized, request));
    case "verbose_json":
      return json(verboseAnswer(recognized, request, language));
    case "text":
      return { type: "text/plain; charset=utf-8", body: `${textOf(segments)}\n` };
    case "srt":
      return { type: "application/x-subrip; charset=utf-8", body: written(new SrtWriter(), segments) };
    case "vtt":
      return { type: "text/vtt; charset=utf-8", body: written(new VttWriter(), segments) };
  }
}

export function textOf(segments: readonly Transcript[]): string {
  return joinTexts(segments.map(({ text }) => text));
}

export function usageOf(duration: number) {
  return { type: "duration" as const, seconds: roundTime(duration) };
}

function shortAnswer(
  { segments, duration }: Recognized,
  { include }: TranscriptionRequest,
): TranscriptionAnswer {
  const logprobs = include.includes("logprobs") ? { logprobs: segments.flatMap(logprobsOf) } : {};
  return { text: textOf(segments), ...logprobs, usage: usageOf(duration) };
}

function verboseAnswer(
  { segments, duration }: Recognized,
  { timestamp_granularities: times }: TranscriptionRequest,
  language: string,
): VerboseAnswer {
  const words = segments.flatMap((segment) => segment.words);
  const wantsSegments = times.length === 0 || times.includes("segment");
  return {
    task: "transcribe",
    language,
    duration: roundTime(duration),
    text: textOf(segments),
    ...(wantsSegments && { segments: segments.map(segmentOf) }),
    ...(times.includes("word") && {
      words: words.map(({ text, start, end }) => ({
        word: text,
        start: roundTime(start),
        end: roundTime(end),
      })),
    }),
    usage: usageOf(duration),
  };
}

function segmentOf({ text, start, end, words }: Transcript, id: number) {
  const characters = words.flatMap((word) => word.characters);
  const sum = characters.reduce((total, { confidence }) => total + logOf(confidence), 0);
  const bytes = Buffer.from(text);
  return {
    id,
    seek: Math.round(100 * start),
    start: roundTime(start),
    end: roundTime(end),
    text,
    tokens: [],
    temperature: 0,
    avg_logprob: characters.length === 0 ? 0 : sum / characters.length,
    compression_ratio: bytes.length / deflateSync(bytes).length,
    no_speech_prob: 0,
  };
}

/** Of each character of a piece's words. */
export function logprobsOf({ words }: Transcript) {
  return words
    .flatMap((word) => word.characters)
    .map(({ text, confidence }: TimedText) => ({
      token: text,
      logprob: logOf(confidence),
      bytes: [...Buffer.from(text)],
    }));
}

/** JSON knows no infinity. */
function logOf(confidence: number): number {
  return Math.log(Math.max(confidence, Number.MIN_VALUE));
}

function written(writer: TranscriptWriter, segments: readonly Transcript[]): string {
  return writer.begin() + segments.map((segment) => writer.add(segment)).join("") + writer.end();
}

function json(value: TranscriptionAnswer | VerboseAnswer): Answer {
  return { type: "application/json", body: JSON.stringify(value) };
}
