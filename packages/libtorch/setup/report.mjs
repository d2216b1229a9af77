// What set-up tells the user: numbered steps, notes, one progress line, and errors that say what to run by hand.

/** A step of set-up that cannot go on: the reason, and the commands that a person can run instead. */
export class SetupError extends Error {
  /**
   * @param {string} message what is wrong
   * @param {{ commands?: string[], cause?: unknown }} [options] exact commands to run by hand
   */
  constructor(message, { commands = [], cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "SetupError";
    this.commands = commands;
  }
}

/** Prints to stderr, since all of it is progress; stdout stays free for the results of what set-up serves. */
export class Report {
  /**
   * @param {number} steps how many steps the whole run has
   * @param {NodeJS.WriteStream} [stream]
   */
  constructor(steps, stream = process.stderr) {
    this.steps = steps;
    this.stream = stream;
    this.current = 0;
    this.title = "";
    this.startedAt = performance.now();
    this.progressShownAt = 0;
    this.progressOnLine = false;
  }

  /** @param {string} title */
  step(title) {
    this.current += 1;
    this.title = title;
    this.startedAt = performance.now();
    this.progressShownAt = 0;
    this.#write(`[${this.current}/${this.steps}] ${title}`);
  }

  /** @param {string} text a line about the current step */
  note(text) {
    for (const line of text.split("\n")) this.#write(`      ${line}`);
  }

  /**
   * Ends the current step with its result; the time is shown where someone had to wait for it.
   * @param {string} text
   */
  done(text) {
    const seconds = (performance.now() - this.startedAt) / 1000;
    this.note(seconds < 1 ? text : `${text} (${seconds.toFixed(0)} s)`);
  }

  /**
   * One line that is overwritten on a terminal; elsewhere it becomes a line every 15 seconds.
   * @param {string} text
   */
  progress(text) {
    const now = performance.now();
    if (now - this.progressShownAt < (this.stream.isTTY ? 100 : 15_000)) return;
    this.progressShownAt = now;
    if (this.stream.isTTY) {
      const width = Math.max(20, (this.stream.columns ?? 80) - 7);
      this.stream.write(`\r\u001b[K      ${text.slice(0, width)}`);
      this.progressOnLine = true;
    } else {
      this.stream.write(`      ${text}\n`);
    }
  }

  /** @param {unknown} error */
  failure(error) {
    const message = error instanceof Error ? error.message : String(error);
    this.#write(`\nSet-up stopped at step ${this.current}, "${this.title}": ${message}`);
    if (error instanceof SetupError && error.commands.length > 0) {
      this.#write("To go on by hand:");
      for (const command of error.commands) this.#write(`  ${command}`);
    } else if (!(error instanceof SetupError) && error instanceof Error && error.stack !== undefined) {
      this.#write(error.stack);
    }
  }

  /** @param {string} line */
  #write(line) {
    if (this.progressOnLine) this.stream.write("\r\u001b[K");
    this.progressOnLine = false;
    this.stream.write(`${line}\n`);
  }
}

/**
 * @param {number} bytes
 * @returns {string} megabytes (10^6 bytes) with a unit
 */
export function megabytes(bytes) {
  const value = bytes / 1e6;
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} MB`;
}
