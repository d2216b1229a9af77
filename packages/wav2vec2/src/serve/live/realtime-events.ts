import { z } from "zod";

// What clients of OpenAI's realtime transcription send: https://platform.openai.com/docs/guides/realtime-transcription. The
// interface before it, of which the session's fields are named otherwise, is read too.

const FORMAT = z.union([
  z.object({
    type: z.enum(["audio/pcm", "audio/pcmu", "audio/pcma"]),
    rate: z.number().int().min(4000).max(192_000).optional(),
  }),
  z.enum(["pcm16", "g711_ulaw", "g711_alaw"]),
]);

const TRANSCRIPTION = z.object({
  model: z.string().max(256).optional(),
  language: z.string().optional(),
  prompt: z.string().optional(),
  keywords: z.array(z.string().min(1).max(200)).max(1000).optional(),
});

const TURN_DETECTION = z.object({ type: z.enum(["server_vad", "semantic_vad", "none"]) }).nullable();

const SESSION = z.object({
  type: z.literal("transcription").optional(),
  audio: z
    .object({
      input: z
        .object({
          format: FORMAT.optional(),
          transcription: TRANSCRIPTION.nullable().optional(),
          turn_detection: TURN_DETECTION.optional(),
        })
        .optional(),
    })
    .optional(),
  input_audio_format: FORMAT.optional(),
  input_audio_transcription: TRANSCRIPTION.nullable().optional(),
  turn_detection: TURN_DETECTION.optional(),
});
export type SessionUpdate = z.infer<typeof SESSION>;

/** What a client may send. */
export const CLIENT_EVENT = z.discriminatedUnion("type", [
  z.object({ type: z.literal("session.update"), event_id: z.string().optional(), session: SESSION }),
  z.object({
    type: z.literal("transcription_session.update"),
    event_id: z.string().optional(),
    session: SESSION,
  }),
  z.object({
    type: z.literal("input_audio_buffer.append"),
    event_id: z.string().optional(),
    audio: z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/, "must be base64"),
  }),
  z.object({ type: z.literal("input_audio_buffer.commit"), event_id: z.string().optional() }),
  z.object({ type: z.literal("input_audio_buffer.clear"), event_id: z.string().optional() }),
]);

/** How a session is set up. */
export interface SessionSettings {
  encoding: "s16le" | "mulaw" | "alaw";
  sampleRate: number;
  model: string | undefined;
  keywords: readonly string[];
  /** Whether pauses divide the audio into items; else the client commits them. */
  detectsTurns: boolean;
}

export const FIRST_SETTINGS: SessionSettings = {
  encoding: "s16le",
  sampleRate: 24_000,
  model: undefined,
  keywords: [],
  detectsTurns: true,
};

const TELEPHONE_RATE = 8000;

/** The settings with what an update says. */
export function updated(settings: SessionSettings, update: SessionUpdate): SessionSettings {
  const { audio, ...flat } = update;
  const format = audio?.input?.format ?? flat.input_audio_format;
  const transcription = audio?.input?.transcription ?? flat.input_audio_transcription ?? undefined;
  const turns = audio?.input?.turn_detection !== undefined ? audio.input.turn_detection : flat.turn_detection;
  return {
    ...settings,
    ...(format !== undefined && codingOf(format)),
    ...(transcription?.model !== undefined && { model: transcription.model }),
    ...(transcription?.keywords !== undefined && { keywords: transcription.keywords }),
    ...(turns !== undefined && { detectsTurns: turns !== null && turns.type !== "none" }),
  };
}

function codingOf(format: z.infer<typeof FORMAT>): Pick<SessionSettings, "encoding" | "sampleRate"> {
  const type = typeof format === "string" ? format : format.type;
  if (type === "audio/pcmu" || type === "g711_ulaw") return { encoding: "mulaw", sampleRate: TELEPHONE_RATE };
  if (type === "audio/pcma" || type === "g711_alaw") return { encoding: "alaw", sampleRate: TELEPHONE_RATE };
  const { sampleRate } = FIRST_SETTINGS;
  return {
    encoding: "s16le",
    sampleRate: typeof format === "string" ? sampleRate : (format.rate ?? sampleRate),
  };
}

/** The settings as a session is described to its client. */
export function described(id: string, settings: SessionSettings) {
  const { encoding, sampleRate, model, keywords, detectsTurns } = settings;
  const type = { s16le: "audio/pcm", mulaw: "audio/pcmu", alaw: "audio/pcma" }[encoding];
  return {
    type: "transcription",
    object: "realtime.transcription_session",
    id,
    audio: {
      input: {
        format: encoding === "s16le" ? { type, rate: sampleRate } : { type },
        transcription: { model: model ?? null, keywords },
        turn_detection: detectsTurns ? { type: "server_vad" } : null,
      },
    },
  };
}
