// How a pass is timed in a process. (timing.py does the same for Python.)

/**
 * A first pass, or `uncounted` ones, take memory and choose kernels, and the last of them counts only where it took so long that
 * it says enough. Then passes until they have taken the time that one process is given.
 *
 * @param {() => void | Promise<void>} pass
 * @param {{ most?: number, wanted: number, long: number, uncounted?: number }} limits passes at most; seconds that they take
 * together; seconds from which an uncounted one is enough
 * @returns {Promise<{ first: number, seconds: number[], processor: number[] }>} of each pass, seconds by the clock and of all cores
 */
export async function repeat(pass, { most = 10, wanted, long, uncounted = 1 }) {
  const timed = async () => {
    const before = process.cpuUsage();
    const began = performance.now();
    await pass();
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(before);
    return { seconds, processor: (user + system) / 1e6 };
  };
  const before = [];
  while (before.length < uncounted) before.push(await timed());
  const passes = before.slice(-1).filter(({ seconds }) => seconds > long);
  const all = (key) => passes.map((pass) => pass[key]);
  const sum = () => all("seconds").reduce((a, b) => a + b, 0);
  while (passes.length === 0 || (passes.length < most && sum() < wanted)) passes.push(await timed());
  return { first: before[0].seconds, seconds: all("seconds"), processor: all("processor") };
}
