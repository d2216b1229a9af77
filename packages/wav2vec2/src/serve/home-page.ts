import type { ServedModels } from "./models.js";

const ENDPOINTS = [
  ["POST", "/v1/audio/transcriptions", "the text of a recording"],
  ["GET", "/v1/models", "the models"],
  ["WebSocket", "/v1/realtime", "live audio, as OpenAI's clients send it"],
  ["WebSocket", "/v1/stream", "live audio, as plain samples"],
  ["GET", "/openapi.json", "all of it for programs"],
  ["GET", "/health", "whether the process answers"],
  ["GET", "/ready", "whether the models compute"],
  ["GET", "/metrics", "numbers for Prometheus"],
] as const;

/** What a browser sees where no page is served: what there is. */
export function homePage(models: ServedModels): string {
  const rows = ENDPOINTS.map(
    ([method, path, what]) => `<tr><td>${method}<td><code>${path}</code><td>${what}`,
  );
  const names = models.all.map(({ name }) => `<li><code>${escaped(name)}</code>`);
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>wav2vec2 serve</title>
<h1>wav2vec2 serve</h1>
<ul>${names.join("")}</ul>
<table>${rows.join("\n")}</table>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
