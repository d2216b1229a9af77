// A training loop by hand: fit y = 3x - 1 with one linear layer and AdamW. A step is one scope, so that
// everything it made is freed at its end.
import { manualSeed, nn, optim, randn, scope } from "@wav2vec2/libtorch";

manualSeed(0);
const layer = new nn.Linear(1, 1);
const optimizer = new optim.AdamW(layer.parameters(), { learningRate: 0.05, weightDecay: 0 });
for (let step = 1; step <= 300; step++) {
  const loss = scope(() => {
    const x = randn([32, 1]); // [batch, 1]
    const error = layer.forward(x).sub(x.mul(3).sub(1));
    const mean = error.square().mean();
    mean.backward();
    return mean.item();
  });
  optimizer.step();
  optimizer.zeroGrad();
  if (step % 100 === 0) console.log(`step ${step}  loss ${loss.toFixed(6)}`);
}
console.log(`y = ${layer.weight.item().toFixed(2)} x + ${layer.bias?.item().toFixed(2)}`);
