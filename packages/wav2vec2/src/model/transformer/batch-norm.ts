import { batchNorm, nn, ones, type Tensor, zeros } from "@wav2vec2/libtorch";

/**
 * Ioffe and Szegedy 2015 (arXiv 1502.03167) with the statistics that it was saved with, also in training: a batch's own
 * would make a clip's output depend on what else is in the batch, and on how many processes share it. Scale and shift are
 * trained. PyTorch: `BatchNorm1d` in evaluation mode.
 */
export class BatchNorm extends nn.Module {
  weight: Tensor;
  bias: Tensor;
  runningMean: Tensor;
  runningVar: Tensor;
  /** How many batches the statistics are of. */
  numBatchesTracked: Tensor;
  /** Added to the variance. */
  readonly eps = 1e-5;

  constructor(channels: number) {
    super();
    this.weight = nn.parameter(ones([channels]));
    this.bias = nn.parameter(zeros([channels]));
    this.runningMean = nn.buffer(zeros([channels]));
    this.runningVar = nn.buffer(ones([channels]));
    this.numBatchesTracked = nn.buffer(zeros([], { dtype: "int64" }));
  }

  /** [batch, channels, time] to [batch, channels, time] */
  forward(x: Tensor): Tensor {
    const { weight, bias, runningMean, runningVar, eps } = this;
    return batchNorm(x, weight, bias, runningMean, runningVar, false, 0, eps, true);
  }
}
