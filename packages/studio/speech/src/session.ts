import type { TimedWord, Transcript } from "../../../wav2vec2/src/web/index.js";
import { type Microphone, openMicrophone } from "./microphone.js";
import type { JobListener, RecognizerClient } from "./recognizer-client.js";
import { Recording } from "./recording.js";
import { retimed } from "./retimed.js";

/** What one model makes of a recording. */
export interface Reading {
  client: RecognizerClient;
  segments: Transcript[];
  /** Words that are not settled yet. */
  partial: string;
  /** Of the recognition; undefined while it goes on. */
  seconds: number | undefined;
  error: string | undefined;
  job: number | undefined;
}

/** A recording, and what models read in it. */
export class Session {
  readonly recording = new Recording();
  readings: Reading[] = [];
  #microphone: Microphone | undefined;
  #wav: string | undefined;

  /** @param onChange is called whenever there is something new to show */
  constructor(
    readonly name: string,
    readonly onChange: () => void,
  ) {}

  get isListening(): boolean {
    return this.#microphone !== undefined;
  }

  get isWorking(): boolean {
    return this.readings.some(({ seconds, error }) => seconds === undefined && error === undefined);
  }

  get duration(): number {
    return this.recording.seconds;
  }

  /** The first model's words. */
  get words(): readonly TimedWord[] {
    return this.readings[0]?.segments.flatMap(({ words }) => words) ?? [];
  }

  /** For players, once the recording is whole. */
  get address(): string | undefined {
    if (this.isListening || this.recording.length === 0) return undefined;
    if (this.isWorking && this.#wav === undefined) return undefined;
    this.#wav ??= URL.createObjectURL(this.recording.toWav());
    return this.#wav;
  }

  async openFile(file: File, clients: readonly RecognizerClient[], hotwords: string[]): Promise<void> {
    for (const [i, client] of clients.entries()) {
      const reading = this.#read(client);
      const listener = this.#listener(reading, i === 0);
      const recognize = (audio: File | DecodedAudio): void => {
        const onError = (message: string, code: string): void => {
          if (code === "ERR_GPU" && client.state.is === "ready") {
            this.#forget(reading, i === 0);
            recognize(audio); // by the processor
          } else if (code === "ERR_AUDIO_FORMAT" && audio === file) {
            // What our decoders do not know, the browser's may: M4A, AAC, films.
            void decodeByBrowser(file).then(recognize, () => listener.onError(message, code));
          } else listener.onError(message, code);
        };
        reading.job = client.recognize(audio, file.name, hotwords, { ...listener, onError });
      };
      recognize(file);
    }
  }

  /** @throws Error where there is no microphone to use, in a sentence that says what to do */
  async listen(clients: readonly RecognizerClient[], hotwords: string[]): Promise<void> {
    const early: Float32Array[] = [];
    let take = (block: Float32Array): void => void early.push(block);
    const microphone = await openMicrophone(
      (block) => take(block),
      () => void this.stop(),
    );
    this.#microphone = microphone;
    for (const [i, client] of clients.entries()) {
      const reading = this.#read(client);
      reading.job = client.listen(microphone.sampleRate, hotwords, this.#listener(reading, i === 0));
    }
    take = (block) => {
      for (const { client, job } of this.readings) if (job !== undefined) client.push(job, block);
    };
    for (const block of early) take(block);
    this.onChange();
  }

  /** Ends the listening; what was said is still recognised to its end. */
  async stop(): Promise<void> {
    const microphone = this.#microphone;
    if (!microphone) return;
    this.#microphone = undefined;
    await microphone.stop();
    for (const { client, job } of this.readings) if (job !== undefined) client.end(job);
    this.onChange();
  }

  async close(): Promise<void> {
    for (const { client, job } of this.readings) if (job !== undefined) client.cancel(job);
    await this.#microphone?.stop();
    this.#microphone = undefined;
    if (this.#wav) URL.revokeObjectURL(this.#wav);
  }

  /** Takes a person's correction of a segment. */
  correct(segment: number, text: string): void {
    const [reading] = this.readings;
    const old = reading?.segments[segment];
    if (!reading || !old) return;
    const words = retimed(old.words, text, old);
    reading.segments = reading.segments.with(segment, {
      ...old,
      text: words.map((word) => word.text).join(" "),
      words,
    });
    this.onChange();
  }

  #read(client: RecognizerClient): Reading {
    const reading: Reading = {
      client,
      segments: [],
      partial: "",
      seconds: undefined,
      error: undefined,
      job: undefined,
    };
    this.readings.push(reading);
    this.onChange();
    return reading;
  }

  /** Lets go of what was read, for it is read anew. */
  #forget(reading: Reading, isFirst: boolean): void {
    reading.segments = [];
    reading.partial = "";
    if (isFirst) this.recording.length = 0;
    this.onChange();
  }

  #listener(reading: Reading, isFirst: boolean): JobListener {
    return {
      onSamples: isFirst
        ? (samples) => {
            this.recording.append(samples);
            this.onChange();
          }
        : undefined,
      onPiece: (transcript) => {
        reading.segments = [...reading.segments, transcript];
        reading.partial = "";
        this.onChange();
      },
      onPartial: (text) => {
        reading.partial = text;
        this.onChange();
      },
      onDone: (seconds) => {
        reading.seconds = seconds;
        reading.partial = "";
        this.onChange();
      },
      onError: (message) => {
        reading.error = message;
        void this.stop();
        this.onChange();
      },
    };
  }
}

interface DecodedAudio {
  samples: Float32Array;
  sampleRate: number;
}

async function decodeByBrowser(file: File): Promise<DecodedAudio> {
  const context = new OfflineAudioContext(1, 1, 48000);
  const audio = await context.decodeAudioData(await file.arrayBuffer());
  const samples = new Float32Array(audio.length);
  for (let channel = 0; channel < audio.numberOfChannels; channel++) {
    const own = audio.getChannelData(channel);
    for (let i = 0; i < samples.length; i++) samples[i]! += own[i]! / audio.numberOfChannels;
  }
  return { samples, sampleRate: audio.sampleRate };
}
