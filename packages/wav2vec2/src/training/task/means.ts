/** The metrics of a task that says none: the loss and its sums, each divided by the parts. */
export function meansOf({ count = 0, ...sums }: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / count]));
}
