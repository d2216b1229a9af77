import type { Tensor } from "../tensor.js";
import { Module } from "./module.js";

/** Hendrycks and Gimpel 2016 (arXiv 1606.08415): x times the Gaussian distribution function of x. */
export class GELU extends Module {
  forward(x: Tensor): Tensor {
    return x.gelu();
  }
}
