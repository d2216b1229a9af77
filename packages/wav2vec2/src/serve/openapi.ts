import { z } from "zod";
import { version } from "../version.js";
import {
  API_ERROR,
  MODEL,
  MODEL_LIST,
  STREAM_EVENT,
  TRANSCRIPTION,
  TRANSCRIPTION_FIELDS,
  VERBOSE_TRANSCRIPTION,
} from "./transcription/schema.js";

type Schema = Record<string, unknown>;

/** A schema as OpenAPI 3.1 has it, which is JSON Schema. */
function jsonSchema(schema: z.ZodType, io: "input" | "output" = "output"): Schema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}

/** The description of the server's HTTP interface, made of what checks requests. */
export function openApi(): Schema {
  const fields = jsonSchema(TRANSCRIPTION_FIELDS, "input") as { properties: Schema };
  const { keywords, languages, timestamp_granularities, include, ...single } = fields.properties;
  const form = {
    type: "object",
    required: ["file"],
    properties: {
      file: { type: "string", format: "binary", description: "A recording, told by its content." },
      ...single,
      "keywords[]": keywords,
      "languages[]": languages,
      "timestamp_granularities[]": timestamp_granularities,
      "include[]": include,
    },
  };
  const error = (description: string) => ({
    description,
    content: { "application/json": { schema: ref("Error") } },
  });
  const errors = {
    400: error("A field or the audio is wrong."),
    401: error("The token is missing or wrong."),
    404: error("There is no such model."),
    408: error("The request came too slowly."),
    413: error("The recording is too large or too long."),
    415: error("The request is no form."),
    429: error("As many recordings wait as may; Retry-After says when to try again."),
    503: error("The server is ending."),
  };
  const text = { schema: { type: "string" } };
  return {
    openapi: "3.1.0",
    info: {
      title: "wav2vec2 serve",
      version: version(),
      description: "Speech recognition under OpenAI's interface. Paths work without /v1 too.",
    },
    security: [{}, { token: [] }],
    paths: {
      "/v1/audio/transcriptions": {
        post: {
          operationId: "transcribe",
          summary: "The text of a recording",
          requestBody: { required: true, content: { "multipart/form-data": { schema: form } } },
          responses: {
            200: {
              description: "The text, in the form that response_format names.",
              content: {
                "application/json": {
                  schema: { anyOf: [ref("Transcription"), ref("VerboseTranscription")] },
                },
                "text/plain": text,
                "application/x-subrip": text,
                "text/vtt": text,
                "text/event-stream": { schema: ref("StreamEvent") },
              },
            },
            ...errors,
          },
        },
      },
      "/v1/models": {
        get: {
          operationId: "listModels",
          summary: "The models that are served",
          responses: { 200: { description: "All.", content: jsonOf("ModelList") } },
        },
      },
      "/v1/models/{id}": {
        get: {
          operationId: "getModel",
          summary: "One of them",
          parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
          responses: {
            200: { description: "It.", content: jsonOf("Model") },
            404: error("There is no such model."),
          },
        },
      },
      "/health": open("health", "Whether the process answers"),
      "/ready": open("ready", "Whether the models compute: after a real recognition lately"),
      "/metrics": open("metrics", "Numbers for Prometheus"),
    },
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      schemas: {
        Transcription: jsonSchema(TRANSCRIPTION),
        VerboseTranscription: jsonSchema(VERBOSE_TRANSCRIPTION),
        StreamEvent: jsonSchema(STREAM_EVENT),
        Model: jsonSchema(MODEL),
        ModelList: jsonSchema(MODEL_LIST),
        Error: jsonSchema(API_ERROR),
      },
    },
  };
}

function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

function jsonOf(name: string): Schema {
  return { "application/json": { schema: ref(name) } };
}

function open(operationId: string, summary: string): Schema {
  return {
    get: { operationId, summary, responses: { 200: { description: "Yes." }, 503: { description: "No." } } },
  };
}
