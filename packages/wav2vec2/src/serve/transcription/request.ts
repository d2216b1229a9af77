import { ApiError } from "../api-error.js";
import type { TranscriptionForm } from "./form.js";
import { TRANSCRIPTION_FIELDS, type TranscriptionFields } from "./schema.js";

const LISTS = ["languages", "keywords", "timestamp_granularities", "include"];
const TRUE = ["true", "True", "1"];

/** What is wanted of a recording. */
export interface TranscriptionRequest extends Omit<TranscriptionFields, "stream"> {
  stream: boolean;
  /** Fields that are not known, which change nothing. */
  ignored: string[];
}

/**
 * Reads a form's fields. Lists are sent as repeated `name[]`, by some clients without the brackets or with numbers in them.
 *
 * @throws ApiError 400 naming the field
 */
export function transcriptionRequest(fields: TranscriptionForm["fields"]): TranscriptionRequest {
  const given: Record<string, string | string[]> = Object.create(null);
  const ignored: string[] = [];
  for (const [field, value] of fields) {
    const name = field.replace(/\[\d*\]$/, "");
    if (LISTS.includes(name)) given[name] = [...((given[name] as string[] | undefined) ?? []), value];
    else if (Object.hasOwn(TRANSCRIPTION_FIELDS.shape, name)) given[name] = value;
    else if (!name.startsWith("chunking_strategy[")) ignored.push(name.slice(0, 100));
  }
  const wanted = given.response_format;
  if (wanted === "diarized_json")
    throw invalid("response_format", "must be one of the others: who speaks is not told here");
  const result = TRANSCRIPTION_FIELDS.safeParse(given);
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    const param = String(path[0]);
    throw invalid(param, `is wrong: ${message}`);
  }
  const request = { ...result.data, stream: TRUE.includes(result.data.stream), ignored };
  requireConsistent(request);
  return request;
}

/** @throws ApiError where a field would change nothing */
function requireConsistent({
  response_format: format,
  timestamp_granularities: times,
  stream,
  include,
}: TranscriptionRequest): void {
  if (times.length > 0 && format !== "verbose_json")
    throw invalid("timestamp_granularities", `must stand with verbose_json, but stands with ${format}`);
  if (stream && format !== "json" && format !== "text")
    throw invalid("stream", `must stand with json or text, but stands with ${format}`);
  if (include.length > 0 && format !== "json")
    throw invalid("include", `must stand with json, but stands with ${format}`);
}

function invalid(param: string, what: string): ApiError {
  return new ApiError(400, `The field ${param} ${what}.`, { param, code: "invalid_value" });
}
