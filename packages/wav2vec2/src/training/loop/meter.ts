import { type Device, deviceMemory, type Tensor } from "@wav2vec2/libtorch";
import { SAMPLE_RATE } from "../../audio/audio-file.js";
import { ALONE, type World } from "../../distributed/world.js";
import type { SystemReading } from "../../tracking/system/system-reading.js";
import type { BatchLoss } from "../task/task.js";
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

/** The processes' states as one. Each counts the same updates, with the same norms. */
function combined([first, ...others]: readonly MeterState[]): MeterState {
  const state: MeterState = { ...first!, sums: { ...first!.sums } };
  for (const { sums, samples } of others) {
    state.samples += samples;
    for (const [name, value] of Object.entries(sums)) state.sums[name] = (state.sums[name] ?? 0) + value;
  }
  return state;
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

  /**
   * Sums over the batches, and metrics of the updates, since the last reading: those of all processes.
   *
   * @param readings of this process and its machine, which come back with those of the others
   */
  async read(
    world: World = ALONE,
    readings: readonly SystemReading[] = [],
  ): Promise<{ sums: Record<string, number>; metrics: Record<string, number>; readings: SystemReading[] }> {
    const elapsed = performance.now() - this.#since;
    const own = {
      state: this.state(),
      timedSamples: this.#timedSamples,
      waitShare: this.#waitedMs / elapsed,
      memoryMb: (deviceMemory(this.#device)?.peak ?? process.memoryUsage.rss()) / 2 ** 20,
      readings,
    };
    const all = await world.gather(own);
    const { sums, gradNorms, norms, skipped, samples, updates } = combined(all.map(({ state }) => state));
    const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
    const metrics = {
      ...(norms > 0 && { grad_norm: gradNorms / norms }),
      ...(skipped > 0 && { skipped_updates: skipped }),
      audio_seconds: samples / SAMPLE_RATE / updates,
      audio_seconds_per_second:
        total(all.map(({ timedSamples }) => timedSamples)) / SAMPLE_RATE / (elapsed / 1000),
      data_wait_share: total(all.map(({ waitShare }) => waitShare)) / all.length,
      memory_mb: Math.max(...all.map(({ memoryMb }) => memoryMb)),
    };
    this.#sums.reset();
    this.#gradNorms.reset();
    this.#samples = this.#updates = this.#norms = this.#skipped = 0;
    this.restart();
    return { sums, metrics, readings: all.flatMap(({ readings }) => readings) };
  }

  /** That of all processes together, from which one goes on. */
  async stateOf(world: World): Promise<MeterState> {
    return combined(await world.gather(this.state()));
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
