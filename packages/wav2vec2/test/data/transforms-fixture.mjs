// A module of transforms, as threads import it in transforms.test.ts.
import { defineTransforms } from "wav2vec2/transforms";

export default defineTransforms({
  audio: (samples, { random }) => {
    const gain = random.uniform();
    return samples.map((sample) => sample * gain);
  },
  text: (text, { training, epoch }) => (training ? text : `${text} HELD`.slice(0, text.length + epoch)),
  collate: (clips, context) => ({
    ...context.collate(clips),
    drawn: context.random.uniform(),
    peaks: Float32Array.from(clips, ({ samples }) =>
      samples.reduce((most, value) => Math.max(most, value), 0),
    ),
    speakers: clips.map(({ clip }) => clip.speaker),
  }),
});
