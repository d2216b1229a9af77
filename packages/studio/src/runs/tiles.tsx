import { chanceLoss } from "../charts/chart-specs.js";
import { audioHours, count, duration, percent, short } from "../format.js";
import type { RunOverview } from "../shared.js";
import { endsCollapsed } from "./collapse.js";

interface Tile {
  name: string;
  value: string;
  detail: string;
}

/** The numbers that stand out. */
export function Tiles({ overview }: { overview: RunOverview }) {
  const tiles = tilesOf(overview);
  return (
    <dl class="tiles">
      {tiles.map(({ name, value, detail }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
          <dd class="detail">{detail}</dd>
        </div>
      ))}
    </dl>
  );
}

function tilesOf(overview: RunOverview): Tile[] {
  const { metrics, summary, seconds, audioSeconds } = overview;
  const at = (step: number): string => `at step ${count(step)}`;
  const chance = chanceLoss(metrics);
  const wer = metrics["eval/wer"];
  // Of collapsed codebooks, they say nothing.
  const { "eval/contrastive_loss": loss, "eval/accuracy": accuracy } = endsCollapsed(overview)
    ? ({} as RunOverview["metrics"])
    : metrics;
  const perplexity = metrics["eval/codevector_perplexity"] ?? metrics.codevector_perplexity;
  const training = metrics.contrastive_loss ?? metrics.loss;
  const speed = metrics.audio_seconds_per_second?.latest;
  const tiles: (Tile | false | undefined)[] = [
    wer?.lowest && {
      name: "Best word error rate",
      value: percent(wer.lowest.value),
      detail: `${at(wer.lowest.step)}, newest ${percent(wer.latest!)}`,
    },
    loss?.lowest && {
      name: "Best contrastive loss",
      value: short(loss.lowest.value),
      detail: `${chance === undefined ? "" : `${Math.round((loss.lowest.value / chance) * 100)} % of chance, `}${at(loss.lowest.step)}`,
    },
    accuracy?.highest && {
      name: "Best accuracy",
      value: percent(accuracy.highest.value),
      detail: `${chance === undefined ? "" : `${Number((accuracy.highest.value / Math.exp(-chance)).toPrecision(3))} times chance, `}${at(accuracy.highest.step)}`,
    },
    perplexity?.latest !== undefined && {
      name: "Codevector perplexity",
      value: perplexity.latest.toFixed(1),
      detail: metrics["eval/codevector_perplexity"] ? "newest validation" : "newest of training",
    },
    training?.latest !== undefined && {
      name: "Training loss",
      value: short(training.latest),
      detail: `lowest ${short(training.lowest!.value)} ${at(training.lowest!.step)}`,
    },
    summary.step !== undefined && {
      name: "Trained",
      value: duration(seconds),
      detail: `${count(summary.step)} steps${audioSeconds > 0 ? `, ${audioHours(audioSeconds)} of audio` : ""}${leftText(summary, seconds)}`,
    },
    speed !== undefined && {
      name: "Speed",
      value: `${Number(speed.toPrecision(3))}×`,
      detail: "seconds of audio a second",
    },
  ];
  return tiles.filter((tile) => tile !== false && tile !== undefined);
}

/** How long it will still take at the speed so far. */
function leftText({ state, step, steps }: RunOverview["summary"], seconds: number): string {
  if (state !== "running" || !step || steps === undefined || steps <= step || seconds === 0) return "";
  return `, ${duration((seconds / step) * (steps - step))} left`;
}
