import { type Device, isTensor, type Tensor, tensor, uniform } from "@wav2vec2/libtorch";
import { type Kind, listOf, MASK, requireArguments, whole } from "../argument-kinds.js";
import { UserError } from "../errors.js";

/** Uniform numbers from libtorch's generator, so that its seed and saved state govern masks too. */
export function torchUniform(): () => number {
  let values: Float32Array = new Float32Array(0);
  let next = 0;
  return () => {
    if (next === values.length) {
      values = uniform(256);
      next = 0;
    }
    return values[next++]!;
  };
}

const FRAMES: Kind = listOf("each row's own frames", whole(0).holds);

/** A mask of 0 and 1 as bool [rows, width]. */
export function maskTensor(mask: Uint8Array, rows: number, device: Device): Tensor {
  requireArguments("maskTensor", { mask: [mask, MASK], rows: [rows, whole(1)] });
  return tensor(mask, [rows, mask.length / rows], { dtype: "bool", device });
}

/** bool [batch, time]: true on each row's own frames, false on padding. */
export function frameMask(frames: readonly number[], time: number, device: Device): Tensor {
  requireArguments("frameMask", { frames: [frames, FRAMES], time: [time, whole(0)] });
  const mask = new Uint8Array(frames.length * time);
  for (const [row, count] of frames.entries()) mask.fill(1, row * time, row * time + count);
  return tensor(mask, [frames.length, time], { dtype: "bool", device });
}

/** Masked frames as callers give them: [batch, frames] of 0 and 1 on the host, row by row, or bool [batch, frames]. */
export type GivenMask = Uint8Array | Tensor;

/** @throws UserError where a given mask has not a value for each of [batch, frames] */
export function requireMaskShape(mask: GivenMask, [batch, frames]: readonly [number, number]): void {
  if (!isTensor(mask) && !(mask instanceof Uint8Array))
    throw new UserError(
      "maskTimeIndices must be a Uint8Array of 0 and 1, row by row, or a bool tensor, but are neither. Use Uint8Array.from.",
    );
  const isOne = isTensor(mask)
    ? mask.dtype === "bool" && mask.shape.join() === `${batch},${frames}`
    : mask.length === batch * frames;
  if (isOne) return;
  const given = isTensor(mask) ? `${mask.dtype} [${mask.shape.join(", ")}]` : `${mask.length} numbers`;
  throw new UserError(
    `maskTimeIndices must be bool [${batch}, ${frames}], a value for each frame, but is ${given}.`,
  );
}
