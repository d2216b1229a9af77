// Tensors and gradients in five lines: the slope of the squared length of [1, 2, 3].
import { tensor } from "@wav2vec2/libtorch";

const x = tensor([1, 2, 3], { requiresGrad: true });
x.square().sum().backward();
console.log(x.grad?.toArray()); // [ 2, 4, 6 ]
