/** After which launchers begin to count the seconds; torchrun and Kubernetes give 30. */
const SECONDS = 20;

/**
 * What to do where stopping takes so long that whoever asked for it may not wait.
 *
 * @param step seconds of the last step, which a request to stop waits for
 * @param save seconds from there until the checkpoint was on the disk
 * @returns undefined where it is quick enough
 */
export function slowStop(step: number, save: number): string | undefined {
  const whole = step + save;
  if (whole <= SECONDS) return undefined;
  return (
    `Stopping takes up to ${whole.toFixed(0)} s here: ${step.toFixed(0)} s for the step and ${save.toFixed(0)} s for the ` +
    "checkpoint. torchrun and Kubernetes kill after 30 s: give more (torchrun --shutdown-timeout, Kubernetes " +
    "terminationGracePeriodSeconds, SLURM --signal=USR1@SECONDS)."
  );
}
