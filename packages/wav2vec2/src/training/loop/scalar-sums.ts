import {
  type Device,
  full,
  keep,
  noGrad,
  optim,
  scope,
  stack,
  type Tensor,
  tensor,
} from "@wav2vec2/libtorch";

/** Sums of named scalars on their device, which is waited for only when they are read. */
export class ScalarSums {
  #names: string[] = [];
  /** [names] */
  #sums: Tensor | undefined;
  /** From a checkpoint, until the device is known. */
  #loaded: number[] | undefined;

  /**
   * Adds values of the same names each time, tensors or numbers.
   *
   * @param unless a bool scalar: where it is true, nothing is added
   */
  add(values: Readonly<Record<string, Tensor | number>>, device: Device, unless?: Tensor): void {
    this.#names = Object.keys(values);
    const dtype = optim.accumulationDtype(device);
    noGrad(() =>
      scope(() => {
        const scalars = Object.values(values).map((value) =>
          typeof value === "number" ? full([], value, { dtype, device }) : value.detach().to({ dtype }),
        );
        const added = unless ? stack(scalars).maskedFill(unless, 0) : stack(scalars); // [names]
        if (this.#loaded) this.#sums = keep(tensor(this.#loaded, [this.#loaded.length], { dtype, device }));
        this.#loaded = undefined;
        if (this.#sums) this.#sums.add_(added);
        else this.#sums = keep(added);
      }),
    );
  }

  /** The sums, in one read. */
  read(): Record<string, number> {
    const sums = this.#loaded ?? this.#sums?.toArray() ?? [];
    return Object.fromEntries(sums.map((sum, index) => [this.#names[index]!, sum]));
  }

  /** Goes on from `sums`; from nothing when they are left out. */
  reset(sums: Readonly<Record<string, number>> = {}): void {
    this.#sums?.dispose();
    this.#sums = undefined;
    this.#names = Object.keys(sums);
    this.#loaded = this.#names.length > 0 ? Object.values(sums) : undefined;
  }
}
