/** sin(pi x) / (pi x). */
export function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/**
 * The modified Bessel function of order 0, by its power series: what a Kaiser window is made of
 * (https://ccrma.stanford.edu/~jos/sasp/Kaiser_Window.html).
 */
export function besselI0(x: number): number {
  const quarter = (x * x) / 4;
  let [sum, term] = [1, 1];
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}
