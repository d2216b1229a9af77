import { audioHours, compactCount, count, duration } from "../format.js";
import type { XAxis } from "../shared.js";

export const X_AXES: Record<XAxis, { name: string; short: string }> = {
  step: { name: "step", short: "Steps" },
  time: { name: "time", short: "Time" },
  audio: { name: "audio trained on", short: "Audio" },
};

const SECONDS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
];

/** Distances between the marks of an axis that are round ones. */
export function incrementsOf(x: XAxis): number[] {
  const decades = Array.from({ length: 10 }, (_, power) =>
    [1, 2, 5].map((factor) => factor * 10 ** power),
  ).flat();
  if (x === "step") return decades;
  if (x === "time") return [...SECONDS, ...[2, 4, 7, 14, 28].map((days) => days * 86_400)];
  return [
    ...[1, 2, 5].map((factor) => factor * 1e-3),
    ...[1, 2, 5].map((factor) => factor * 1e-2),
    0.1,
    0.2,
    0.5,
    ...decades,
  ];
}

/** A place on the axis for people: "step 1,200", "3 min 20 s", "1.5 h". */
export function placeText(x: XAxis, value: number): string {
  if (x === "step") return `step ${count(Math.round(value))}`;
  return x === "time" ? duration(value) : `${audioHours(value * 3600)} of audio`;
}

/** The same where there is little room. */
export function tickText(x: XAxis, value: number, increment: number): string {
  if (x === "step") return compactCount(value);
  if (x === "audio") return `${Number(value.toFixed(4))} h`;
  if (increment >= 3600) return `${Number((value / 3600).toFixed(2))} h`;
  if (increment >= 60)
    return value >= 3600 ? `${Math.floor(value / 3600)}:${pad(value % 3600)} h` : `${value / 60} min`;
  return value >= 60
    ? `${Math.floor(value / 60)} min ${value % 60 === 0 ? "" : `${Math.round(value % 60)} s`}`
    : `${value} s`;
}

function pad(seconds: number): string {
  return String(Math.round(seconds / 60)).padStart(2, "0");
}
