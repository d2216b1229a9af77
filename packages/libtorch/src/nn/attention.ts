import { checkNumber } from "../arguments.js";
import { attentionWithDropout } from "../fast/attention.js";
import { native } from "../native.js";
import { dropout as drop, scaledDotProductAttention } from "../operators/operators.generated.js";
import { handleOf } from "../tensors/handles.js";
import type { Tensor } from "../tensors/tensor.js";

let fused: boolean | undefined;

/** libtorch 1.13 has no fused kernel of this name. */
function isFused(): boolean {
  fused ??= native.lookup("scaled_dot_product_attention", "") >= 0;
  return fused;
}

const LOWEST: Record<string, number> = {
  float32: -3.4028234663852886e38,
  bfloat16: -3.3895313892515355e38,
  float16: -65504,
  float64: -Number.MAX_VALUE,
};

/**
 * softmax(Q K^T / sqrt(size)) V.
 *
 * @param query [batch, heads, time, size]; `key` and `value` alike
 * @param mask bool, broadcast to [batch, heads, time, time]; positions with false are not attended to. A row
 *   without any true attends to all positions alike, as Hugging Face's eager attention does
 * @param dropout probability of dropping an attention weight
 * @returns [batch, heads, time, size]
 */
export function attention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  mask: Tensor | undefined,
  dropout: number,
): Tensor {
  if (mask !== undefined) handleOf(mask, "attention", "mask");
  handleOf(query, "attention", "query"); // the mask takes its type
  const bias = mask && lowestWhereFalse(mask, query);
  const dropped = attentionWithDropout(query, key, value, bias, dropout);
  if (dropped) return dropped;
  if (!isFused()) return attentionWithWeights(query, key, value, mask, dropout).attended;
  return scaledDotProductAttention(query, key, value, bias, dropout);
}

/** {@link attention}, and the weights behind dropout, [batch, heads, time, time], which a fused kernel never holds. */
export function attentionWithWeights(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  mask: Tensor | undefined,
  dropout: number,
): { attended: Tensor; weights: Tensor } {
  const inputs = { query, key, value, ...(mask === undefined ? {} : { mask }) };
  for (const [name, tensor] of Object.entries(inputs)) handleOf(tensor, "attention", name);
  checkNumber("attention", "dropout", dropout, "[0, 1]");
  const scores = query.mul(query.shape.at(-1)! ** -0.5).matmul(key.transpose(-2, -1)); // [batch, heads, time, time]
  const shares = (mask ? scores.add(lowestWhereFalse(mask, query)) : scores).softmax(-1);
  const weights = dropout > 0 ? drop(shares, dropout, true) : shares;
  return { attended: weights.matmul(value), weights }; // [batch, heads, time, size]
}

function lowestWhereFalse(mask: Tensor, like: Tensor): Tensor {
  return mask.logicalNot().to({ dtype: like.dtype }).mul(LOWEST[like.dtype]!);
}
