import {
  type nn,
  type optim,
  randomState,
  type SnapshotFile,
  SnapshotMemory,
  snapshotBytes,
  type Tensor,
} from "@wav2vec2/libtorch";
import { WorkerPool } from "../../data/worker-pool.js";
import { UserError } from "../../errors.js";
import { reasonOf } from "../../files/atomic/atomic-file.js";
import { showBytes } from "../../files/show-bytes.js";
import { checkpointPath, type Progress, progressText } from "./checkpoint.js";
import type { WriteFault, WriteOutcome } from "./checkpoint-files.js";
import type { WriterJob } from "./checkpoint-worker.js";
import { namedMoments } from "./named-moments.js";

export interface CheckpointWriterOptions {
  /** How many checkpoints to keep. */
  keep: number;
  /** The step that the run begins at: its checkpoint is there, or there is nothing to save yet. */
  step: number;
  /** Gets what is wrong with saving while training goes on. */
  onNote: (text: string) => void;
}

/**
 * Writes the checkpoints of a run while it goes on. Training waits for a copy of the weights and moments in memory; a
 * thread writes that to the disk. One checkpoint is under way at a time.
 */
export class CheckpointWriter implements AsyncDisposable {
  readonly #memory = new SnapshotMemory();
  readonly #thread = new WorkerPool<WriterJob, WriteOutcome>(
    new URL("./checkpoint-worker.js", import.meta.url),
    1,
  );
  /** Settles when what the thread does now is done. */
  #busy: Promise<void>;
  #writing = false;
  #saidWaits = false;
  /** The newest that is whole. */
  #written: number;
  /** A copy that was taken before {@link save}. */
  #taken: { step: number; files: readonly SnapshotFile[] } | undefined;
  /** Why the newest could not be written. */
  #failure: UserError | undefined;

  constructor(
    readonly runDirectory: string,
    readonly module: nn.Module,
    readonly optimizer: optim.Optimizer,
    private readonly options: CheckpointWriterOptions,
  ) {
    this.#written = options.step;
    const { parameters, momentNames } = optimizer;
    const files = [[...module.stateDict().values()], ...momentNames.map(() => parameters)];
    const warm = this.#memory.reserve(snapshotBytes(files) + RANDOM_STATE_BYTES);
    this.#busy = this.#thread.run({ warm }).then(
      () => {},
      () => {}, // it is said where a checkpoint is to be written
    );
  }

  /**
   * Takes a copy of everything as it is and begins to write it as `checkpoints/step-N`, or the copy that {@link take} took of that
   * step. Where the one before is not written yet, waits for it. Faults of the disk are told while training goes on, and
   * thrown by {@link complete}.
   */
  async save(progress: Progress): Promise<void> {
    const { step } = progress;
    const files = this.#taken?.step === step ? this.#taken.files : await this.#copy(step);
    const path = checkpointPath(this.runDirectory, step);
    const text = progressText(progress, this.module, this.optimizer);
    const all = [...files, { name: "progress.json", parts: [Buffer.from(text)] }];
    this.#writing = true;
    this.#busy = this.#thread
      .run({ write: { path, files: all, keep: this.options.keep } })
      .then(
        (outcome) => this.#note(step, path, outcome),
        (error: Error) => this.#fail(path, `the thread that writes it ended: ${error.message}`),
      )
      .finally(() => {
        this.#writing = false;
      });
    this.#busy.catch(() => {}); // of telling what is wrong: whoever waits next gets it
  }

  /**
   * Takes a copy of everything as it is, for {@link save}: behind it, moments that other processes have are to be put.
   * Where the checkpoint before is not written yet, waits for it.
   */
  async take(step: number): Promise<void> {
    this.#taken = { step, files: await this.#copy(step) };
  }

  /**
   * Puts elements of a moment that another process has into the copy.
   *
   * @param name as `namedMoments` has it
   * @param first the place of the first of `values` in the moment
   */
  putMoment(name: string, values: Tensor, first: number): void {
    this.#memory.put(OPTIMIZER_FILE, name, values, first);
  }

  /** Waits until nothing is being written. */
  async settled(): Promise<void> {
    await this.#busy;
  }

  /**
   * Sees to it that the checkpoint of a step is on the disk.
   *
   * @param save calls {@link save}, where that is needed
   * @throws UserError where it cannot be written, naming it and the free space
   */
  async complete(step: number, save: () => Promise<void>): Promise<void> {
    await this.settled();
    if (this.#written === step) return;
    await save();
    await this.settled();
    if (this.#failure) throw this.#failure;
  }

  /** Lets what is under way be written and ends the thread. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.settled();
    await this.#thread.close();
  }

  /** Waits until nothing is written from the memory. */
  async #wait(step: number): Promise<void> {
    if (this.#writing && !this.#saidWaits) {
      this.#saidWaits = true;
      this.options.onNote(
        `The checkpoint of step ${step} is due while the one before is still being written: training waits ` +
          "for the disk. Raise save_steps.",
      );
    }
    await this.#busy;
  }

  async #copy(step: number): Promise<SnapshotFile[]> {
    await this.#wait(step);
    return this.#memory.take([
      { name: "model.safetensors", tensors: this.module.stateDict() },
      { name: OPTIMIZER_FILE, tensors: this.#moments() },
      { name: "random.safetensors", tensors: this.#randomStates() },
    ]);
  }

  *#moments() {
    for (const { name, parameter, moment } of namedMoments(this.module, this.optimizer))
      yield [name, moment ?? { dtype: parameter.dtype, shape: parameter.shape }] as const;
  }

  *#randomStates() {
    yield ["cpu", randomState()] as const;
    const device = this.optimizer.parameters[0]?.device ?? "cpu";
    if (device !== "cpu") yield [device.replace(/:.*/, ""), randomState(device)] as const;
  }

  #note(step: number, path: string, { fault, leftover }: WriteOutcome): void {
    if (fault) {
      this.#fail(path, `${reasonOf(fault)}${spaceOf(fault)}`);
      return;
    }
    this.#written = step;
    this.#failure = undefined;
    if (leftover) this.options.onNote(`An old checkpoint could not be removed: ${leftover}.`);
  }

  #fail(path: string, reason: string): void {
    const { onNote } = this.options;
    const newest =
      this.#written > 0
        ? `The newest checkpoint is that of step ${this.#written}.`
        : "There is no checkpoint of this run yet.";
    this.#failure = new UserError(
      `${path} must be written, but ${reason}. ${newest} Free space on the disk or mend it.`,
    );
    onNote(`${this.#failure.message} Training goes on and tries again at the next save_steps.`);
  }
}

const OPTIMIZER_FILE = "optimizer.safetensors";

/** More than the states of all devices' random numbers take. */
const RANDOM_STATE_BYTES = 64 * 1024;

function spaceOf({ neededBytes, freeBytes }: WriteFault): string {
  const free = freeBytes === undefined ? "" : `, and ${showBytes(freeBytes)} are free`;
  return ` (it takes ${showBytes(neededBytes)}${free})`;
}
