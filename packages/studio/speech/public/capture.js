// Hands on what a microphone gives: blocks of about 50 ms, at the microphone's own rate.
class Capture extends AudioWorkletProcessor {
  #block = new Float32Array(0);
  #filled = 0;

  process([channels]) {
    if (!channels?.length) return true;
    const length = channels[0].length;
    if (this.#block.length === 0)
      this.#block = new Float32Array(Math.ceil(sampleRate / 20 / length) * length);
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (const channel of channels) sum += channel[i];
      this.#block[this.#filled + i] = sum / channels.length;
    }
    this.#filled += length;
    if (this.#filled === this.#block.length) {
      this.port.postMessage(this.#block, [this.#block.buffer]);
      this.#block = new Float32Array(0);
      this.#filled = 0;
    }
    return true;
  }
}
registerProcessor("capture", Capture);
