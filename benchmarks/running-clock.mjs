/** How late a tick is that says: the machine slept, or this process was stopped. */
const STOPPED_MS = 3000;
const TICK_MS = 100;
/** Behind a stop, connections still end that timed out in it. */
const AFTER_MS = 5000;

/** Time in which this process could run: what is measured over hours does not count a machine's sleep. */
export class RunningClock {
  stops = 0;
  #ran = 0;
  #time;
  #last;
  #lastStop = Number.NEGATIVE_INFINITY;
  #timer = setInterval(() => this.now(), TICK_MS);

  /** @param time in milliseconds, which goes on while the process does not */
  constructor(time = () => performance.now()) {
    this.#time = time;
    this.#last = time();
  }

  /** Milliseconds. */
  now() {
    const now = this.#time();
    const passed = now - this.#last;
    this.#last = now;
    this.#ran += passed > STOPPED_MS ? TICK_MS : passed;
    if (passed > STOPPED_MS) {
      this.stops++;
      this.#lastStop = this.#ran;
    }
    return this.#ran;
  }

  /** Whether a stop may have broken what began then. */
  hasStoppedSince(begin) {
    this.now();
    return begin < this.#lastStop + AFTER_MS;
  }

  end() {
    clearInterval(this.#timer);
  }
}
