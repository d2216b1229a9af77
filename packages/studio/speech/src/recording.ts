import { SAMPLE_RATE } from "../../../wav2vec2/src/audio/sample-rate.js";

/** Samples at 16 kHz that grow while someone speaks or a file is read. */
export class Recording {
  #samples = new Float32Array(SAMPLE_RATE * 30);
  length = 0;

  get seconds(): number {
    return this.length / SAMPLE_RATE;
  }

  get samples(): Float32Array {
    return this.#samples.subarray(0, this.length);
  }

  append(block: Float32Array): void {
    if (this.length + block.length > this.#samples.length) {
      const larger = new Float32Array(2 * (this.length + block.length));
      larger.set(this.samples);
      this.#samples = larger;
    }
    this.#samples.set(block, this.length);
    this.length += block.length;
  }

  /** What browsers play: a WAV file of 16 bits. */
  toWav(): Blob {
    const head = new DataView(new ArrayBuffer(44));
    const text = (at: number, letters: string): void => {
      for (const [i, letter] of [...letters].entries()) head.setUint8(at + i, letter.charCodeAt(0));
    };
    const bytes = 2 * this.length;
    text(0, "RIFF");
    head.setUint32(4, 36 + bytes, true);
    text(8, "WAVEfmt ");
    head.setUint32(16, 16, true);
    head.setUint16(20, 1, true);
    head.setUint16(22, 1, true);
    head.setUint32(24, SAMPLE_RATE, true);
    head.setUint32(28, 2 * SAMPLE_RATE, true);
    head.setUint16(32, 2, true);
    head.setUint16(34, 16, true);
    text(36, "data");
    head.setUint32(40, bytes, true);
    const pcm = Int16Array.from(this.samples, (sample) => Math.max(-1, Math.min(1, sample)) * 32767);
    return new Blob([head, pcm], { type: "audio/wav" });
  }
}
