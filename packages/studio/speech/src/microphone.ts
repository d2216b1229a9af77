import { addressOf } from "./site.js";

/** A microphone that is on. */
export interface Microphone {
  /** Hz, the microphone's own: browsers that cannot convert refuse any other. */
  sampleRate: number;
  stop(): Promise<void>;
}

/**
 * @param onBlock gets mono samples as they come
 * @param onEnded is called where the microphone is taken away
 * @throws Error that says what to do
 */
export async function openMicrophone(
  onBlock: (samples: Float32Array) => void,
  onEnded: () => void,
): Promise<Microphone> {
  if (!navigator.mediaDevices)
    throw new Error(
      "Microphones are there for pages of https:// and of localhost alone. Open this page from there.",
    );
  const stream = await navigator.mediaDevices
    .getUserMedia({
      audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: true },
    })
    .catch((error: DOMException) => {
      throw new Error(reasonOf(error));
    });
  const context = new AudioContext();
  await context.audioWorklet.addModule(addressOf("capture.js"));
  const capture = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
  capture.port.onmessage = ({ data }: MessageEvent<Float32Array>) => onBlock(data);
  context.createMediaStreamSource(stream).connect(capture);
  for (const track of stream.getTracks()) track.onended = onEnded;
  await context.resume();
  return {
    sampleRate: context.sampleRate,
    async stop() {
      for (const track of stream.getTracks()) {
        track.onended = null;
        track.stop();
      }
      await context.close();
    },
  };
}

function reasonOf({ name, message }: DOMException): string {
  if (name === "NotAllowedError")
    return "This page may not use the microphone. Allow it in the browser's settings of this page, then try again.";
  if (name === "NotFoundError") return "There is no microphone. Connect one, or open a recording.";
  if (name === "NotReadableError")
    return "The microphone is used by another program. Close that, then try again.";
  return `The microphone cannot be used: ${message}`;
}
