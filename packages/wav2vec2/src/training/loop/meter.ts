import { type Device, deviceMemory, type Tensor } from "@wav2vec2/libtorch";
import { SAMPLE_RATE } from "../../audio/audio-file.js";
import type { BatchLoss } from "./loop.js";
import { ScalarSums } from "./scalar-sums.js";

/** What was measured since the last reading, for a checkpoint. */
export interface MeterState {
  /** Over the batches. */
  sums: Record<string, number>;
  samples: number;
  updates: number;
  gradNorms: number;
  norms: number;
  skipped: number;
}

/** What is measured of training between two lines of metrics. Its sums stay on the device until they are read. */
export class Meter {
  readonly #sums = new ScalarSums();
  readonly #gradNorms = new ScalarSums();
  #device: Device = "cpu";
  #samples = 0;
  #updates = 0;
  /** Updates that had a norm. */
  #norms = 0;
  /** Updates that were left out. */
  #skipped = 0;
  /** Samples since speed is measured. */
  #timedSamples = 0;
  #waitedMs = 0;
  #since = performance.now();

  /** Waits for a batch of audio. */
  async wait<Batch extends { lengths: Int32Array }>(next: Promise<IteratorResult<Batch>>): Promise<Batch> {
    const began = performance.now();
    const { value } = (await next) as { value: Batch }; // batches are endless
    this.#waitedMs += performance.now() - began;
    const samples = value.lengths.reduce((sum, length) => sum + length, 0);
    this.#samples += samples;
    this.#timedSamples += samples;
    return value;
  }

  /** Adds a batch's loss and sums; nothing where the loss is not finite. */
  add({ loss, count, sums }: BatchLoss): void {
    this.#device = loss.device;
    this.#sums.add({ loss, count, ...sums }, loss.device, loss.isfinite().logicalNot());
  }

  /** Counts an update and the norm of its gradients, undefined where it was left out. */
  updated(gradNorm: Tensor | undefined): void {
    this.#updates++;
    if (gradNorm === undefined) {
      this.#skipped++;
    } else {
      this.#gradNorms.add({ gradNorm }, gradNorm.device);
      this.#norms++;
    }
  }

  /** Sums over the batches, and metrics of the updates, since the last reading. */
  read(): { sums: Record<string, number>; metrics: Record<string, number> } {
    const elapsed = performance.now() - this.#since;
    const { sums, gradNorms, norms, skipped, samples, updates } = this.state();
    const metrics = {
      ...(norms > 0 && { grad_norm: gradNorms / norms }),
      ...(skipped > 0 && { skipped_updates: skipped }),
      audio_seconds: samples / SAMPLE_RATE / updates,
      audio_seconds_per_second: this.#timedSamples / SAMPLE_RATE / (elapsed / 1000),
      data_wait_share: this.#waitedMs / elapsed,
      memory_mb: (deviceMemory(this.#device)?.peak ?? process.memoryUsage.rss()) / 2 ** 20,
    };
    this.#sums.reset();
    this.#gradNorms.reset();
    this.#samples = this.#updates = this.#norms = this.#skipped = 0;
    this.restart();
    return { sums, metrics };
  }

  state(): MeterState {
    return {
      sums: this.#sums.read(),
      samples: this.#samples,
      updates: this.#updates,
      gradNorms: this.#gradNorms.read().gradNorm ?? 0,
      norms: this.#norms,
      skipped: this.#skipped,
    };
  }

  /** Goes on from a state, so that the next line of a resumed run covers what it would have covered. */
  loadState({ sums, samples, updates, gradNorms, norms, skipped }: MeterState): void {
    this.#sums.reset(sums);
    this.#gradNorms.reset(norms > 0 ? { gradNorm: gradNorms } : {});
    this.#samples = samples;
    this.#updates = updates;
    this.#norms = norms;
    this.#skipped = skipped;
  }

  /** Begins to measure speed anew. */
  restart(): void {
    this.#timedSamples = this.#waitedMs = 0;
    this.#since = performance.now();
  }
}
