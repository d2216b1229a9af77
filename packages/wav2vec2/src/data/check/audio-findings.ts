import { SAMPLE_RATE } from "../../audio/audio-file.js";
import type { Utterance } from "../utterance.js";
import type { DecodedClip } from "./check-clips.js";
import type { Findings } from "./findings.js";
import type { ClipMeasures } from "./measure.js";

/** -60 dBFS, 33 steps of 16 bits: quiet speech lies 10 dB above, the noise of a microphone that is off below. */
const SILENT_RMS = 1e-3;
/** Cut peaks are some 10 samples of each loud vowel's period of 100 or more: one period of a hundred is cut. */
const CLIPPED_SHARE = 1e-3;
/** -34 dBFS. It costs headroom and clicks where clips are joined; normalising takes it away. */
const DC_OFFSET = 0.02;
/** Hz. Telephone speech ends at 3.4 kHz, what was sampled at 8 kHz at 4 kHz. */
const NARROW_BAND = 4500;

/** What is wrong with a clip by its samples; one problem at most. */
export function audioFindings({ id, path }: Utterance, decoded: DecodedClip): Findings {
  if ("fault" in decoded) {
    const { fault, message } = decoded;
    return { problems: [{ id, file: path, kind: fault, message }], remarks: [] };
  }
  const { measures, sampleRate, channels, notes } = decoded;
  const findings: Findings = { problems: [], remarks: [] };
  for (const message of notes) findings.remarks.push({ id, file: path, kind: "open-end", message });
  if (sampleRate !== SAMPLE_RATE) {
    const mixed = channels > 1 ? ` and its ${channels} channels are averaged` : "";
    const message = `${path} is at ${sampleRate} Hz: it is resampled to ${SAMPLE_RATE} Hz${mixed}.`;
    findings.remarks.push({ id, file: path, kind: "resampled", message });
  }
  if (isSilent(measures)) {
    const level =
      measures.rms === 0 ? "all its samples are equal" : `its level is ${decibels(measures.rms)} dBFS`;
    const message = `${path} must hold speech, but ${level}.`;
    findings.problems.push({ id, file: path, kind: "silent", message });
    return findings;
  }
  if (measures.clipped >= CLIPPED_SHARE) {
    const share = (measures.clipped * 100).toPrecision(2);
    const message = `${path} must not be clipped, but ${share} % of its samples are cut off at full scale.`;
    findings.problems.push({ id, file: path, kind: "clipped", message });
  }
  if (Math.abs(measures.mean) >= DC_OFFSET) {
    const message = `${path} has a DC offset: its mean is ${measures.mean.toFixed(3)} of full scale.`;
    findings.remarks.push({ id, file: path, kind: "dc-offset", message });
  }
  return findings;
}

/** -60 dBFS or less, a constant offset apart. */
export function isSilent({ rms }: ClipMeasures): boolean {
  return rms <= SILENT_RMS;
}

function decibels(amplitude: number): string {
  return (20 * Math.log10(amplitude)).toFixed(0);
}

/**
 * One remark on all clips of a split that hold nothing above 4.5 kHz: recorded at 8 kHz or over the telephone, whatever
 * their files' rate is.
 */
export function narrowBandRemark(
  name: string,
  clips: readonly { clip: Utterance; decoded: DecodedClip }[],
): Findings["remarks"] {
  const measured = clips.flatMap(({ clip, decoded }) =>
    "measures" in decoded && decoded.measures.bandwidth > 0 && !isSilent(decoded.measures)
      ? [{ clip, bandwidth: decoded.measures.bandwidth }]
      : [],
  );
  const narrow = measured.filter(({ bandwidth }) => bandwidth < NARROW_BAND);
  const [first] = narrow;
  if (!first) return [];
  const highest = Math.max(...narrow.map(({ bandwidth }) => bandwidth));
  const message =
    `${name}: ${narrow.length} of ${measured.length} clips hold nothing above ${(highest / 1000).toFixed(1)} kHz ` +
    `(the first: ${first.clip.path}). They were recorded at 8 kHz or over the telephone; a model that learned from ` +
    "wide-band speech recognises them less well.";
  return [{ id: first.clip.id, file: first.clip.path, kind: "narrow-band", message }];
}
