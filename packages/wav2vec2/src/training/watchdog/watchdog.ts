import { type Metrics, MetricsHistory } from "../loop/metrics-history.js";
import { type Finding, PRETRAINING_FINDINGS, type WatchdogOptions } from "./watchdog-findings.js";

/** Where a finding stands. */
interface Episode {
  /** Step from which on it has held without a break. */
  since?: number | undefined;
  /** Step at which it held last. */
  seen: number;
  said: boolean;
}

/** A finding as it is said. */
interface Warning extends Pick<Finding, "name"> {
  text: string;
}

const PREFIX = "eval/";

/**
 * Reads the metrics of pre-training as an experienced person would and says what looks wrong, in plain words with the
 * likely causes. It only ever warns. What it looks for stands in `watchdog-findings.ts`, and for people in
 * docs/pretraining-troubles.md.
 *
 * It keeps no state between runs: after a resume it needs as many steps to judge as at the start, and until then is
 * silent.
 */
export class Watchdog {
  readonly #training = new MetricsHistory();
  readonly #validation = new MetricsHistory();
  readonly #episodes = new Map<Finding, Episode>();

  constructor(private readonly options: WatchdogOptions) {}

  /**
   * Each finding comes once, and again only where it came back after it had been gone for long.
   *
   * @param metrics of a logging step (averages since the one before), or of a validation (names begin with `eval/`);
   * names as in docs/pretraining.md. What is missing or not finite is not judged.
   */
  look(metrics: Metrics, step: number): Warning[] {
    const validation = Object.keys(metrics).some((name) => name.startsWith(PREFIX));
    if (validation) this.#validation.add({ ...withoutPrefix(metrics), training_loss: this.#loss() }, step);
    else this.#training.add(metrics, step);
    const seen = { training: this.#training, validation: this.#validation, options: this.options };
    return PRETRAINING_FINDINGS.filter((finding) => finding.validation === validation).flatMap((finding) => {
      const text = finding.find(seen);
      const says = this.#follow(finding, text !== undefined, step);
      return text !== undefined && says ? [{ name: finding.name, text }] : [];
    });
  }

  /** Of training, lately. */
  #loss(): number {
    const losses = this.#training.over("contrastive_loss", 50);
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  }

  /** @returns whether a finding is to be said now */
  #follow(finding: Finding, present: boolean, step: number): boolean {
    const episode = this.#episodes.get(finding) ?? { seen: step, said: false };
    this.#episodes.set(finding, episode);
    if (!present) {
      episode.since = undefined;
      if (step - episode.seen >= longGone(this.options)) episode.said = false;
      return false;
    }
    const { from } = finding.validation ? this.#validation : this.#training;
    episode.since ??= from;
    episode.seen = step;
    if (episode.said || step - episode.since < finding.lasting || this.#explained(finding)) return false;
    episode.said = true;
    return true;
  }

  /** Whether something was said that this finding only follows from. */
  #explained({ explainedBy }: Finding): boolean {
    return [...this.#episodes].some(([{ name }, { said }]) => said && explainedBy.includes(name));
  }
}

/** Steps behind which a finding that comes back is worth to be said again. */
function longGone({ maxSteps }: WatchdogOptions): number {
  return Math.max(1000, maxSteps / 20);
}

function withoutPrefix(metrics: Metrics): Metrics {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [
      name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name,
      value,
    ]),
  );
}
