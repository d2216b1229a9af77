import type { Wav2Vec2Config } from "../../../model/configuration.js";
import type { Graph, Value } from "../graph.js";

/** Which frames are clips' own, from the samples that are. */
export interface FrameMask {
  /** float [batch, frames, 1], 1 in a clip's own frames and 0 in padding */
  own: Value;
  /** float [batch, 1, 1, frames], 0 in own frames and the lowest number in padding */
  attention: Value;
}

const LOWEST = -3.4028234663852886e38;

/**
 * @param mask int64 [batch, samples], 1 in a clip's own samples
 * @param frames what has as many frames on its second axis, [batch, frames, …]
 */
export function frameMask(graph: Graph, mask: Value, frames: Value, config: Wav2Vec2Config): FrameMask {
  let count = graph.node("ReduceSum", [mask, graph.integers([1])], { keepdims: 1 }); // [batch, 1], samples
  for (const [layer, kernel] of config.convKernel.entries()) {
    const room = graph.node("Sub", [count, graph.integers(kernel)]);
    const strides = graph.node("Div", [room, graph.integers(config.convStride[layer]!)]);
    count = graph.node("Add", [strides, graph.integers(1)]); // [batch, 1], frames behind the layer
  }
  const time = graph.node("Squeeze", [graph.node("Shape", [frames], { start: 1, end: 2 })]);
  const places = graph.node("Range", [graph.integers(0), time, graph.integers(1)]); // [frames]
  const own = graph.node("Cast", [graph.node("Less", [places, count])], { to: 1 }); // [batch, frames]
  const padding = graph.node("Sub", [graph.number(1), own]);
  const lowest = graph.node("Mul", [padding, graph.number(LOWEST)]);
  return {
    own: graph.node("Unsqueeze", [own, graph.integers([2])]),
    attention: graph.node("Unsqueeze", [lowest, graph.integers([1, 2])]),
  };
}
