// A message brings it: timers of pages wait 4 ms, and a second in a tab in the background.
const { port1, port2 } = new MessageChannel();
const waiting: (() => void)[] = [];
// Node.js' types do not know it.
(port1 as unknown as { onmessage: () => void }).onmessage = () => waiting.shift()?.();

export const turn = (): Promise<void> =>
  new Promise((go) => {
    waiting.push(go);
    port2.postMessage(undefined);
  });
