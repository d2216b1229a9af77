import { native } from "../native.js";
import { handleOf, wrap } from "../tensors/handles.js";
import type { Tensor } from "../tensors/tensor.js";
import { KERNEL_DTYPES } from "./on-cpu.js";

/**
 * Attention with dropout on the CPU, computed in float32 also of bfloat16, a block of rows at a time and again in the
 * backward pass: without
 * [batch, heads, time, time] in memory, where libtorch's own holds it four times for the backward pass.
 *
 * @param query [batch, heads, time, size]; `key` and `value` alike
 * @param bias added to scores, [batch, 1, 1, time]; undefined where there is none
 * @param p checked by the caller
 * @returns undefined for what it is not made for
 */
export function attentionWithDropout(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  bias: Tensor | undefined,
  p: number,
): Tensor | undefined {
  if (!(p > 0 && p < 1)) return undefined;
  const handles = Object.entries({ query, key, value }).map(([name, x]) => handleOf(x, "attention", name));
  if (!KERNEL_DTYPES.includes(query.dtype)) return undefined;
  if (![query, key, value].every((x) => x.device === "cpu" && x.dtype === query.dtype)) return undefined;
  const [shape, keys] = [query.shape, key.shape];
  const [batch, heads, , size] = shape;
  if (shape.length !== 4 || shape.includes(0) || keys.includes(0)) return undefined;
  if (keys.join() !== [batch, heads, keys[2], size].join() || value.shape.join() !== keys.join())
    return undefined;
  if (bias && bias.shape.join() !== [batch, 1, 1, keys[2]].join()) return undefined;
  const row = bias?.view([batch!, keys[2]!]);
  return wrap(native.fastAttention(handles[0]!, handles[1]!, handles[2]!, row?.handle, p));
}
