import { expect, it } from "vitest";
import { meantOptions } from "./meant-options.js";

const OPTIONS = [
  ...["--output", "--max-steps", "--eval-steps", "--save-steps", "--logging-steps"],
  ...["--data.batch-size", "--data.batch-seconds", "--optimizer.learning-rate", "--optimizer.eps"],
  ...["--schedule.warmup-steps", "--schedule.warmup-ratio", "--schedule.name", "--wandb.project"],
];

it.each([
  ["--batch-seconds", ["--data.batch-seconds"]],
  ["--batch_seconds=7", ["--data.batch-seconds"]],
  ["--training.learning-rate", ["--optimizer.learning-rate"]],
  ["--lr", ["--optimizer.learning-rate"]],
  ["--optimizer.lr", ["--optimizer.learning-rate"]],
  ["--bs", ["--data.batch-size", "--data.batch-seconds"]],
  ["--warmup", ["--schedule.warmup-steps", "--schedule.warmup-ratio"]],
  ["--rate", ["--optimizer.learning-rate"]],
  ["--steps", []], // of too many
  ["--x", []],
  ["--", []],
  ["--colour", []],
])("%s means %j", (unknown, expected) => {
  expect(meantOptions(unknown, OPTIONS)).toEqual(expected);
});
