/** `Promise.all` over `items` with at most `limit` calls of `run` under way; results in the items' order. */
export async function mapConcurrent<T, R>(
  items: readonly T[],
  limit: number,
  run: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  const remaining = items.entries(); // one iterator, shared by all workers
  const worker = async () => {
    for (const [index, item] of remaining) results[index] = await run(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
