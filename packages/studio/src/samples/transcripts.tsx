import { path } from "../api.js";
import { percent } from "../format.js";
import { alignWords, countErrors, type TranscriptSample, type WordPair } from "../shared.js";
import { StepChoice } from "./step-choice.js";
import { type SamplesProps, useSamples } from "./use-samples.js";

/** What was recognised at a validation, with wrong words marked, to listen to. */
export function Transcripts(props: SamplesProps) {
  const { id, steps } = props;
  const { step, setStep, data } = useSamples<TranscriptSample>("transcripts", props);
  return (
    <section aria-label="Transcripts">
      <div class="toolbar">
        <StepChoice steps={steps} step={step} onChoose={setStep} />
        <span class="soft swatches">
          <mark>recognised for another word or added</mark> <del>left out</del>
        </span>
      </div>
      {data?.map((sample) => (
        <Sample key={sample.id} run={id} sample={sample} />
      ))}
    </section>
  );
}

function Sample({
  run,
  sample: { id, reference, hypothesis, audio },
}: {
  run: string;
  sample: TranscriptSample;
}) {
  const pairs = alignWords(reference, hypothesis);
  const errors = countErrors(pairs);
  const words = reference.split(/\s+/).filter(Boolean).length;
  return (
    <article class="sample" aria-label={id}>
      <header>
        <h3 dir="auto">{id}</h3>
        <span class={errors === 0 ? "right" : "soft"}>
          {errors === 0
            ? "✓ all right"
            : `${errors} ${errors === 1 ? "error" : "errors"} in ${words} ${words === 1 ? "word" : "words"}${words > 0 ? `, ${percent(errors / words)}` : ""}`}
        </span>
        {audio && (
          // biome-ignore lint/a11y/useMediaCaption: what is said stands beside it
          <audio
            controls
            preload="none"
            src={path("audio", { run, clip: audio })}
            aria-label={`Listen to ${id}`}
          />
        )}
      </header>
      <div class="scroll-words">
        <table class="words" dir="auto">
          <tbody>
            <tr>
              <th scope="row" dir="ltr">
                reference
              </th>
              {pairs.map((pair, index) => (
                <td key={index}>{pair.reference ?? ""}</td>
              ))}
            </tr>
            <tr>
              <th scope="row" dir="ltr">
                recognised
              </th>
              {pairs.map((pair, index) => (
                <td key={index}>
                  <Heard pair={pair} />
                </td>
              ))}
            </tr>
          </tbody>
        </table>
      </div>
    </article>
  );
}

function Heard({ pair: { reference, hypothesis } }: { pair: WordPair }) {
  if (hypothesis === undefined) return <del title={`left out: ${reference}`}>–</del>;
  if (hypothesis === reference) return <>{hypothesis}</>;
  return <mark title={reference === undefined ? "added" : `for ${reference}`}>{hypothesis}</mark>;
}
