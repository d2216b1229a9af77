import type { CtcDecoder } from "../../text/decoding/ctc-decoder.js";
import type { DecoderMaker } from "../transcript/decoding-choice.js";

/** As many lists of hotwords are kept ready. */
const MOST = 16;

/** Decoders of one thread: the usual one, and those with hotwords of single recordings. */
export class RequestDecoders {
  readonly #made = new Map<string, Promise<CtcDecoder>>();

  constructor(
    readonly maker: DecoderMaker,
    readonly usual: CtcDecoder,
  ) {}

  /** @throws ConfigurationError where a hotword cannot be spelled with the vocabulary */
  async with(hotwords: readonly string[] | undefined): Promise<CtcDecoder> {
    if (hotwords === undefined || hotwords.length === 0) return this.usual;
    const key = JSON.stringify(hotwords);
    const made = this.#made.get(key) ?? this.maker.make(hotwords);
    this.#made.delete(key); // the last used one last
    this.#made.set(key, made);
    if (this.#made.size > MOST) this.#made.delete(this.#made.keys().next().value!);
    try {
      return await made;
    } catch (error) {
      this.#made.delete(key);
      throw error;
    }
  }
}
