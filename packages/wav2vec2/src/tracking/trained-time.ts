/** A longer gap between two lines is an interruption, not training. */
const LONGEST_PAUSE_SECONDS = 600;

/** How long a run had trained at each of its lines: without the pauses of an interrupted run. */
export class TrainedTime {
  #before: number | undefined;

  /**
   * Seconds of training since the line before.
   *
   * @param time of a line, in seconds since 1970. It may go back: clocks of several machines differ, and each process's
   * readings come together
   */
  since(time: number): number {
    const gap = time - (this.#before ?? time);
    this.#before = Math.max(this.#before ?? time, time);
    return gap > 0 && gap <= LONGEST_PAUSE_SECONDS ? gap : 0;
  }
}
