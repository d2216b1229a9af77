/** ln(exp(a) + exp(b)) */
export function logAdd(a: number, b: number): number {
  if (a < b) return logAdd(b, a);
  return b === Number.NEGATIVE_INFINITY ? a : a + Math.log1p(Math.exp(b - a));
}
