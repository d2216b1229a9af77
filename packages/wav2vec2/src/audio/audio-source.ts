/**
 * Where audio comes from: everything that takes audio takes all of these.
 *
 * - a path, or a URL: `file:`, `http:`, `https:`, `data:`
 * - the bytes of a file: a Buffer or other Uint8Array, an ArrayBuffer, a SharedArrayBuffer, a Blob or File
 * - bytes as they come: a Node.js stream such as a request, a web stream, a Response or Request with one for its body, an
 *   iterable of Uint8Arrays, asynchronous or not
 * - samples, mono, full scale [-1, 1): a Float32Array at 16 kHz, an iterable of them as they come, or
 *   {@link AudioSamples} at another rate
 *
 * What bytes hold is told by their content: FLAC, WAV, MP3, Ogg (Opus, Vorbis or FLAC), WebM with Opus or NIST SPHERE.
 */
export type AudioSource =
  | string
  | URL
  | Uint8Array
  | ArrayBufferLike
  | Blob
  | NodeReadable
  | WebStream
  | WebBody
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>
  | Float32Array
  | AsyncIterable<Float32Array>
  | Iterable<Float32Array>
  | AudioSamples;

/** Samples with their rate. */
export interface AudioSamples {
  /** Mono, full scale [-1, 1). */
  samples: Float32Array;
  /** Hz. */
  sampleRate: number;
}

/** What is used of a `Response`, such as of `fetch`, or a `Request`, such as of a server. */
export interface WebBody {
  body: WebStream | null;
  bodyUsed: boolean;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** What is used of a web `ReadableStream`, whichever library's types it has. */
export interface WebStream {
  getReader(): {
    read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
    cancel(reason?: unknown): Promise<void>;
  };
}

/** What is used of a Node.js `Readable`, whose types pages do not have. */
export interface NodeReadable extends AsyncIterable<unknown> {
  readonly readableEnded: boolean;
  readonly readableDidRead: boolean;
  readonly destroyed: boolean;
  readonly errored: Error | null;
  // biome-ignore lint/suspicious/noExplicitAny: as Node.js has it
  pipe(destination: any, options?: any): unknown;
  resume(): unknown;
  destroy(error?: Error): unknown;
}
