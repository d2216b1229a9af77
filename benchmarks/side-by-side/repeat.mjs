// How a pass is timed in a process. (timing.py does the same for Python.)

/**
 * A first pass takes memory and chooses kernels, and counts only where it took so long that it says enough. Then passes
 * until they have taken the time that one process is given.
 *
 * @param {() => void | Promise<void>} pass
 * @param {{ most?: number, wanted: number, long: number }} limits passes at most; seconds that they take together; seconds
 * from which the first one is enough
 * @returns {Promise<{ first: number, seconds: number[], processor: number[] }>} of each pass, seconds by the clock and of all cores
 */
export async function repeat(pass, { most = 10, wanted, long }) {
  const timed = async () => {
    const before = process.cpuUsage();
    const began = performance.now();
    await pass();
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(before);
    return { seconds, processor: (user + system) / 1e6 };
  };
  const first = await timed();
  const passes = first.seconds > long ? [first] : [];
  let sum = first.seconds > long ? first.seconds : 0;
  while (passes.length === 0 || (passes.length < most && sum < wanted)) {
    passes.push(await timed());
    sum += passes.at(-1).seconds;
  }
  const all = (key) => passes.map((pass) => pass[key]);
  return { first: first.seconds, seconds: all("seconds"), processor: all("processor") };
}
