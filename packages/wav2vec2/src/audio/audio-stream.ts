import { SAMPLE_RATE } from "./audio-file.js";
import { detectFormat, FAR, isKnown, MAGIC, skipTags } from "./audio-format.js";
import { memorySource } from "./byte-source.js";
import { ByteStream, fileChunks } from "./byte-stream.js";
import type { DecodedAudio, OnNote, StreamOptions } from "./decoded-audio.js";
import { monoBlocks } from "./mono-stream.js";

/**
 * Reads a file of any length as `readAudio` does, in memory that does not grow with it.
 * @param path of a file or a named pipe
 * @param options.signal ends the reading; the generator then throws its reason
 * @param options.onNote hears what is odd about the file, at its end
 * @returns blocks of one second, the last one shorter: behind one another they are to the bit what `readAudio` returns
 * @throws UserError as `readAudio`, when the fault is reached and what lies before it was given; it names the second
 */
export async function* streamAudio(
  path: string,
  { signal, onNote }: { signal?: AbortSignal | undefined; onNote?: OnNote | undefined } = {},
): AsyncGenerator<Float32Array> {
  if (typeof path !== "string")
    throw new TypeError(
      "path must be that of a file. Of a stream, such as a request, streamPcm reads audio.",
    );
  const stream = new ByteStream(fileChunks(path));
  try {
    yield* monoBlocks(streamFormat(stream, path, { piped: false, onNote }), path, {
      least: SAMPLE_RATE,
      signal,
      piped: false,
    });
  } finally {
    await stream.close();
  }
}

/** Decodes what a stream holds, told by its content. */
export async function* streamFormat(
  stream: ByteStream,
  name: string,
  options: StreamOptions,
): AsyncGenerator<DecodedAudio> {
  await skipTags(stream, name);
  await stream.fill(MAGIC);
  if (!isKnown(stream.bytes)) await stream.fill(FAR);
  yield* detectFormat(memorySource(stream.bytes), name, options.piped).stream(stream, name, options);
}
