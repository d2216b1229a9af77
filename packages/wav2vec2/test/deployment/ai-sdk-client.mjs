// Asks a server for a recording's text as the AI SDK does: node ai-sdk-client.mjs URL FILE. In a process of its own: one of its
// packages has TypeScript under the condition by which tests find this project's sources.
import { readFile } from "node:fs/promises";
import { createOpenAI } from "@ai-sdk/openai";
import { experimental_transcribe as transcribe } from "ai";

const [baseURL, path] = process.argv.slice(2);
const provider = createOpenAI({ baseURL, apiKey: "none" });
const result = await transcribe({
  model: provider.transcription("whisper-1"),
  audio: await readFile(path),
  providerOptions: { openai: { timestampGranularities: ["word"] } },
});
const words = result.segments.map(({ text }) => text);
console.log(JSON.stringify({ text: result.text, seconds: result.durationInSeconds, words }));
