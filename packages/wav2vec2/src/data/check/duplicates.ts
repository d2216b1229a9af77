import type { Utterance } from "../utterance.js";
import type { CheckProblem } from "./findings.js";

/**
 * Clips with the same samples. Where their transcripts agree the first one is good and each other a duplicate;
 * where they do not, nobody knows which is right, and each is a problem.
 *
 * @param clips in the order in which the first one counts; `digest` of the decoded samples
 */
export function findDuplicates(clips: Iterable<{ clip: Utterance; digest: string }>): CheckProblem[] {
  const groups = new Map<string, Utterance[]>();
  for (const { clip, digest } of clips) {
    const group = groups.get(digest);
    if (group) group.push(clip);
    else groups.set(digest, [clip]);
  }
  const problems: CheckProblem[] = [];
  for (const [first, ...others] of groups.values()) {
    if (!first || others.length === 0) continue;
    const different = others.find(({ text }) => text !== first.text);
    if (different) {
      for (const clip of [first, ...others]) {
        const other = clip.text === first.text ? different : first;
        problems.push({
          id: clip.id,
          file: clip.path,
          kind: "contradictory-transcripts",
          message:
            `${clip.path} must have one transcript, but ${other.path} holds the same samples with another: ` +
            `${quote(clip.text)} and ${quote(other.text)}. Leave out what is wrong.`,
        });
      }
    } else {
      for (const clip of others) {
        problems.push({
          id: clip.id,
          file: clip.path,
          kind: "duplicate-audio",
          message: `${clip.path} must have samples of its own, but has those of ${first.path}.`,
        });
      }
    }
  }
  return problems;
}

const QUOTED = 40;

function quote(text = ""): string {
  const characters = [...text];
  return JSON.stringify(characters.length > QUOTED ? `${characters.slice(0, QUOTED).join("")}…` : text);
}
