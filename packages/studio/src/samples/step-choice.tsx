import { useState } from "preact/hooks";
import { count } from "../format.js";

/** The step that is looked at: the newest, as long as no other was chosen. */
export function useStep(steps: readonly number[]): [number, (step: number) => void] {
  const [chosen, setChosen] = useState<number>();
  const newest = steps.at(-1)!;
  const step = chosen !== undefined && steps.includes(chosen) ? chosen : newest;
  return [step, (next) => setChosen(next === newest ? undefined : next)];
}

/** A slider over the validations of a run. */
export function StepChoice({
  steps,
  step,
  onChoose,
}: {
  steps: readonly number[];
  step: number;
  onChoose: (step: number) => void;
}) {
  if (steps.length === 1) return <p class="soft">The validation at step {count(step)}.</p>;
  return (
    <label class="slider wide-slider">
      Validation
      <input
        type="range"
        min="0"
        max={steps.length - 1}
        value={steps.indexOf(step)}
        aria-valuetext={`step ${count(step)}`}
        onInput={(event) => onChoose(steps[Number(event.currentTarget.value)]!)}
      />
      <output>
        step {count(step)}
        {step === steps.at(-1) ? ", the newest" : ""}
      </output>
    </label>
  );
}
