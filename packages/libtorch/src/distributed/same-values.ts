import { describe } from "../arguments.js";
import { noGrad } from "../autograd.js";
import { argumentError } from "../errors.js";
import { native } from "../native.js";
import { keep, requireTensors } from "../tensors/handles.js";
import type { Tensor } from "../tensors/tensor.js";
import { DistributedError } from "./distributed-error.js";
import { ProcessGroup } from "./process-group.js";

/** 16 hexadecimal digits of all bytes of the tensors, in their order: equal tensors have equal ones. */
export function digestOf(tensors: readonly Tensor[]): string {
  requireTensors(tensors, "digestOf", "tensors");
  return native.digestOf(tensors.map(({ handle }) => handle));
}

/**
 * Gives every process the values of rank 0, and makes sure that they arrived.
 *
 * @param control carries what is said of them; a group over the CPU
 * @throws DistributedError where a process has other values afterwards
 */
export async function shareValues(
  tensors: readonly Tensor[],
  group: ProcessGroup,
  control: ProcessGroup = group,
): Promise<void> {
  requireTensors(tensors, "shareValues", "tensors");
  for (const each of [group, control]) {
    if (each instanceof ProcessGroup) continue;
    throw argumentError(
      "shareValues",
      `'group' and 'control' must be ProcessGroups, but one is ${describe(each)}`,
    );
  }
  for (const values of tensors) {
    const plain = noGrad(() => keep(values.detach()));
    await group.broadcast(plain);
    plain.dispose();
  }
  const digests = (await control.gatherBytes(Buffer.from(digestOf(tensors)))).map((bytes) =>
    Buffer.from(bytes).toString(),
  );
  const other = digests.findIndex((digest) => digest !== digests[0]);
  if (other === -1) return;
  throw new DistributedError(
    `All processes must begin with the same weights, but rank ${other}'s (${digests[other]}) are not those of rank 0 ` +
      `(${digests[0]}). Check the network and the memory of its host.`,
  );
}
