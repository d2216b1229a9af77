import { keep, noGrad, stack, type Tensor, tensor } from "@wav2vec2/libtorch";
import { SAMPLE_RATE } from "../../audio/audio-file.js";
import type { BatchLoss } from "./loop.js";

/** What was measured since the last reading, for a checkpoint. */
export interface MeterState {
  /** Sums of tensors. */
  tensors: Record<string, number>;
  numbers: Record<string, number>;
  samples: number;
  updates: number;
  gradNorms: number;
  norms: number;
  skipped: number;
}

/** What is measured of training between two lines of metrics. */
export class Meter {
  #names: string[] = [];
  /** Sums of tensors, [names], on their device: it is waited for only when they are read. */
  #tensors: Tensor | undefined;
  #numbers: Record<string, number> = {};
  #samples = 0;
  #updates = 0;
  #gradNorms = 0;
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

  /** Adds a batch's loss and sums. */
  add({ loss, count, sums }: BatchLoss): void {
    const tensors: Record<string, Tensor> = { loss };
    for (const [name, value] of Object.entries({ count, ...sums })) {
      if (typeof value === "number") this.#numbers[name] = (this.#numbers[name] ?? 0) + value;
      else tensors[name] = value;
    }
    this.#names = Object.keys(tensors);
    noGrad(() => {
      const values = stack(Object.values(tensors).map((value) => value.detach().to({ dtype: "float64" })));
      if (this.#tensors) this.#tensors.add_(values);
      else this.#tensors = keep(values);
    });
  }

  /** Counts an update and the norm of its gradients, undefined where it was left out. */
  updated(gradNorm: number | undefined): void {
    this.#updates++;
    if (gradNorm === undefined) {
      this.#skipped++;
    } else {
      this.#gradNorms += gradNorm;
      this.#norms++;
    }
  }

  /** Sums over the batches, and metrics of the updates, since the last reading. */
  read(): { sums: Record<string, number>; metrics: Record<string, number> } {
    const elapsed = performance.now() - this.#since;
    const sums = this.#totals();
    const metrics = {
      ...(this.#norms > 0 && { grad_norm: this.#gradNorms / this.#norms }),
      ...(this.#skipped > 0 && { skipped_updates: this.#skipped }),
      audio_seconds: this.#samples / SAMPLE_RATE / this.#updates,
      audio_seconds_per_second: this.#timedSamples / SAMPLE_RATE / (elapsed / 1000),
      data_wait_share: this.#waitedMs / elapsed,
      memory_mb: process.memoryUsage.rss() / 2 ** 20,
    };
    const numbers = this.#numbers;
    this.#tensors?.dispose();
    this.#tensors = undefined;
    this.#numbers = {};
    this.#samples = this.#updates = this.#gradNorms = this.#norms = this.#skipped = 0;
    this.restart();
    return { sums: { ...numbers, ...sums }, metrics };
  }

  state(): MeterState {
    return {
      tensors: this.#totals(),
      numbers: this.#numbers,
      samples: this.#samples,
      updates: this.#updates,
      gradNorms: this.#gradNorms,
      norms: this.#norms,
      skipped: this.#skipped,
    };
  }

  /** Goes on from a state, so that the next line of a resumed run covers what it would have covered. */
  loadState({ tensors, numbers, samples, updates, gradNorms, norms, skipped }: MeterState): void {
    this.#names = Object.keys(tensors);
    this.#tensors?.dispose();
    this.#tensors =
      this.#names.length > 0 ? keep(tensor(Float64Array.from(Object.values(tensors)))) : undefined;
    this.#numbers = { ...numbers };
    this.#samples = samples;
    this.#updates = updates;
    this.#gradNorms = gradNorms;
    this.#norms = norms;
    this.#skipped = skipped;
  }

  #totals(): Record<string, number> {
    const totals = this.#tensors?.toArray() ?? [];
    return Object.fromEntries(totals.map((total, index) => [this.#names[index]!, Number(total)]));
  }

  /** Begins to measure speed anew. */
  restart(): void {
    this.#timedSamples = this.#waitedMs = 0;
    this.#since = performance.now();
  }
}
