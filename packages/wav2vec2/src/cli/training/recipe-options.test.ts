import { Command } from "commander";
import { expect, it } from "vitest";
import { COMMANDS } from "../../training/recipe/recipe-rules.js";
import { addRecipeOptions } from "./recipe-options.js";

function parse(argv: string[], task: "finetune" | "pretrain" = "finetune"): Record<string, unknown> {
  const command = new Command().exitOverride().configureOutput({ writeErr() {} });
  const overrides = addRecipeOptions(command, argv, COMMANDS[task]);
  command.parse(argv, { from: "user" });
  return Object.fromEntries([...overrides].map(([key, { value, option }]) => [key, [value, option]]));
}

it("takes other projects' names in both ways of writing, switches also alone", () => {
  expect(
    parse(["--learning_rate", "1e-4", "--per-device-batch-size", "8", "--fp16", "--eval_steps", "3"]),
  ).toEqual({
    learning_rate: [1e-4, "--learning_rate"],
    per_device_batch_size: [8, "--per-device-batch-size"],
    fp16: [true, "--fp16"],
    eval_steps: [3, "--eval_steps"],
  });
  expect(parse(["--freeze_feature_encoder", "--gradient-checkpointing", "--seed", "3"])).toEqual({
    freeze_feature_encoder: [true, "--freeze_feature_encoder"],
    gradient_checkpointing: [true, "--gradient-checkpointing"],
    seed: [3, "--seed"],
  });
  expect(parse(["--group_by_length", "false", "--push_to_hub"])).toEqual({
    group_by_length: [false, "--group_by_length"],
    push_to_hub: [true, "--push_to_hub"],
  });
  expect(() => parse(["--learning-rate", "fast"])).toThrow(
    "--learning-rate must be a number, but is 'fast'.",
  );
  expect(() => parse(["--max-gumbel-temperature", "2"])).toThrow(/unknown option/);
  expect(parse(["--max-gumbel-temperature", "2"], "pretrain")).toHaveProperty("max_gumbel_temperature");
});
