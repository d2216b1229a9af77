/**
 * Reads the audio files whose paths come as lines and answers each with a line of JSON: what was read or why it was refused,
 * and whether the header tells as much as is read, in turns whole, in blocks or as a stream. The samples [channels][samples], as they are in the file, are put as float32
 * into the second path of the line, behind a tab.
 */
import { createReadStream } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const dist = pathToFileURL(`${process.argv[2]}/`);
const { readAudio, readAudioInfo, streamAudio, UserError } = await import(new URL("index.js", dist));
const { behindTags, detectFormat } = await import(new URL("audio/audio-format.js", dist));
const { memorySource } = await import(new URL("audio/sources/byte-source.js", dist));
console.error = () => {}; // the decoders report there too

const bits = ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength);

async function lengthOf(blocks) {
  let length = 0;
  for await (const block of blocks) length += block.length;
  return length;
}

const WAYS = [
  async (path) => (await readAudio(path)).length,
  (path) => lengthOf(streamAudio(path)),
  (path) => lengthOf(streamAudio(createReadStream(path))),
];
let count = 0;

/** The samples as they are in the file, and what is odd about it. */
async function decode(path) {
  const source = memorySource(await readFile(path));
  const file = behindTags(source, path);
  const format = detectFormat(file, path);
  const notes = [];
  format.readHeader(file, path, (note) => notes.push(note.replaceAll(path, "FILE")));
  return { ...(await format.decode(file, path)), notes };
}

async function read(path, out) {
  const results = [decode(path), readAudioInfo(path), WAYS[count++ % WAYS.length](path)];
  const [decoded, info, length] = await Promise.all(results.map((result) => result.catch((error) => error)));
  const refused = [decoded, info, length].filter((result) => result instanceof Error);
  const crashed = refused.find(
    (error) => !(error instanceof UserError) || (error.code ?? "ERR_USER") === "ERR_USER",
  );
  if (crashed && (length === crashed || !(crashed instanceof UserError))) return { crashed: crashed.stack };
  if (length instanceof Error)
    return { refused: length.message.replaceAll(path, "FILE"), code: length.code, notes: [] };
  const { channelData, sampleRate, notes } = decoded;
  const samples = channelData[0].length;
  if (out) await writeFile(out, Buffer.concat(channelData.map(bits)));
  const told = info.samples === samples && info.samplesAt16k === length;
  return { info: told, notes, samples, sampleRate, channels: channelData.length };
}

for await (const line of createInterface({ input: process.stdin })) {
  const [path, out] = line.split("\t");
  const answer = await read(path, out).catch((error) => ({ crashed: error.stack ?? String(error) }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
