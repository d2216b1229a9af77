import { z } from "zod";

// What requests may hold and answers do: requests are checked by these, the OpenAPI file is made of them.

export const RESPONSE_FORMATS = ["json", "text", "srt", "verbose_json", "vtt"] as const;

/** The fields of a request, but for the file, as OpenAI's own API has them. */
export const TRANSCRIPTION_FIELDS = z
  .object({
    model: z
      .string()
      .max(256)
      .optional()
      .describe(
        "A name of /v1/models. Names of OpenAI's models stand for the first, and any name where there is but one.",
      ),
    language: z
      .string()
      .regex(/^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$/, "must be a language's code, such as en")
      .optional()
      .describe("Is told in the answer alone: a model knows the languages that it was trained on."),
    languages: z.array(z.string().max(35)).max(100).default([]).describe("As language."),
    prompt: z.string().optional().describe("Has no effect: the network takes none. Words go into keywords."),
    keywords: z
      .array(z.string().min(1).max(200))
      .max(1000)
      .default([])
      .describe("Words and phrases to be recognised more readily."),
    response_format: z.enum(RESPONSE_FORMATS).default("json"),
    temperature: z.coerce.number().min(0).max(1).optional().describe("Has no effect: nothing is sampled."),
    timestamp_granularities: z
      .array(z.enum(["word", "segment"]))
      .default([])
      .describe("With verbose_json. Default: segment."),
    stream: z
      .enum(["true", "false", "True", "False", "1", "0"])
      .default("false")
      .describe("Whether text is sent as server-sent events while the recording is recognised."),
    include: z
      .array(z.enum(["logprobs"]))
      .default([])
      .describe("logprobs: of each character, with json and stream."),
    chunking_strategy: z.string().optional().describe("Has no effect: recordings are divided in pauses."),
  })
  .describe("POST /v1/audio/transcriptions");

export type TranscriptionFields = z.infer<typeof TRANSCRIPTION_FIELDS>;

const usage = z.object({ type: z.literal("duration"), seconds: z.number() });
const logprob = z.object({
  token: z.string().describe("A character."),
  logprob: z.number().describe("ln of its confidence."),
  bytes: z.array(z.number().int()),
});
const word = z.object({ word: z.string(), start: z.number(), end: z.number() });
const segment = z.object({
  id: z.number().int(),
  seek: z.number().int().describe("Hundredths of a second before it."),
  start: z.number().describe("Seconds from the beginning."),
  end: z.number(),
  text: z.string(),
  tokens: z.array(z.number().int()).describe("Empty."),
  temperature: z.number(),
  avg_logprob: z.number().describe("The mean of its characters' ln confidence."),
  compression_ratio: z.number().describe("Bytes of the text by those of it compressed."),
  no_speech_prob: z.number().describe("0: pieces without words are left out."),
});

export const TRANSCRIPTION = z.object({ text: z.string(), logprobs: z.array(logprob).optional(), usage });
export type TranscriptionAnswer = z.infer<typeof TRANSCRIPTION>;

export const VERBOSE_TRANSCRIPTION = z.object({
  task: z.literal("transcribe"),
  language: z.string(),
  duration: z.number(),
  text: z.string(),
  segments: z.array(segment).optional(),
  words: z.array(word).optional(),
  usage,
});
export type VerboseAnswer = z.infer<typeof VERBOSE_TRANSCRIPTION>;

export const STREAM_EVENT = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("transcript.text.delta"),
    delta: z.string(),
    logprobs: z.array(logprob).optional(),
  }),
  z.object({
    type: z.literal("transcript.text.done"),
    text: z.string(),
    logprobs: z.array(logprob).optional(),
    usage,
  }),
  z.object({
    type: z.literal("error"),
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string().nullable(),
    }),
  }),
]);
export type StreamEvent = z.infer<typeof STREAM_EVENT>;

export const API_ERROR = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
});

export const MODEL = z.object({
  id: z.string(),
  object: z.literal("model"),
  created: z.number().int(),
  owned_by: z.string(),
});
export type ModelAnswer = z.infer<typeof MODEL>;
export const MODEL_LIST = z.object({ object: z.literal("list"), data: z.array(MODEL) });
