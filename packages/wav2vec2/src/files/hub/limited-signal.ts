/**
 * A signal that is aborted with another, or after a time. `AbortSignal.timeout` within `AbortSignal.any` is not enough:
 * Node.js 20 may collect it as garbage, and then nothing ends the wait.
 *
 * @param within milliseconds; without end where it is not given
 */
export function limitedSignal(
  parent: AbortSignal,
  within: number | undefined,
): { signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const abort = (): void => controller.abort(parent.reason ?? new Error("no answer in time"));
  if (parent.aborted) abort();
  parent.addEventListener("abort", abort);
  const timer = within === undefined ? undefined : setTimeout(abort, Math.ceil(within));
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      parent.removeEventListener("abort", abort);
    },
  };
}
