import { get, path, useLoaded } from "../api.js";
import { useStep } from "./step-choice.js";

/** Which validations of a run have samples. */
export interface SamplesProps {
  /** Of the run. */
  id: string;
  steps: readonly number[];
  /** Changes when there are others. */
  version: string;
}

/** The samples of one validation, the newest unless another was chosen. @param part of the run, as in its address */
export function useSamples<Sample>(part: string, { id, steps, version }: SamplesProps) {
  const [step, setStep] = useStep(steps);
  const { data } = useLoaded(id, `${version} ${step}`, (signal) =>
    get<Sample[]>(path(part, { run: id, step }), signal),
  );
  return { step, setStep, data };
}
