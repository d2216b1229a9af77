// How a pass is timed in a process. (timing.py does the same for Python.)

/**
 * A first pass takes memory and chooses kernels, and counts only where it took so long that it says enough. Then passes
 * until they have taken the time that one process is given.
 *
 * @param {() => void | Promise<void>} pass
 * @param {{ most?: number, wanted: number, long: number }} limits passes at most; seconds that they take together; seconds
 * from which the first one is enough
 * @returns {Promise<{ first: number, seconds: number[] }>}
 */
export async function repeat(pass, { most = 10, wanted, long }) {
  const timed = async () => {
    const began = performance.now();
    await pass();
    return (performance.now() - began) / 1000;
  };
  const first = await timed();
  if (first > long) return { first, seconds: [first] };
  const seconds = [];
  let sum = 0;
  while (seconds.length < most && (seconds.length === 0 || sum < wanted)) {
    seconds.push(await timed());
    sum += seconds.at(-1);
  }
  return { first, seconds };
}
