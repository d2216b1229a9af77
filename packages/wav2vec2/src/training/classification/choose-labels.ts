import { listLabels } from "../../data/labels/clip-labels.js";
import { ConfigurationError, UserError } from "../../errors.js";
import type { Wav2Vec2Config } from "../../model/configuration.js";
import { readArchitectures } from "../../model/configuration-file.js";
import {
  CLASSIFIERS,
  type ClassificationTask,
  taskOfArchitecture,
} from "../../model/heads/classification-task.js";
import type { Tracker } from "../../tracking/tracker.js";
import type { ClassificationRecipe } from "../recipe/recipe-rules.js";

/** The labels that a head is trained for. */
export interface ChosenLabels {
  /** By id. */
  labels: readonly string[];
  /** Whether the head begins anew, whatever the directory has. */
  newHead: boolean;
}

/**
 * The labels of the model's own head, in its order, where it has one of this task; or those of the clips, where it has none,
 * where there is no model, and where the recipe says so (`labels: data`).
 *
 * @param found labels of the clips to train on, sorted
 * @throws UserError naming the labels on both sides where the model's head lacks some of the clips'
 */
export async function chooseLabels(
  { task, labels: wanted }: ClassificationRecipe,
  init: { directory: string; config: Wav2Vec2Config } | undefined,
  found: readonly string[],
  tracker: Pick<Tracker, "note" | "tell">,
): Promise<ChosenLabels> {
  if (!init || wanted === "data") return { labels: found, newHead: true };
  const { directory, config } = init;
  const architectures = await readArchitectures(directory);
  const name = CLASSIFIERS[task].name;
  if (taskOfArchitecture(architectures[0]) !== task) {
    if (wanted === "model")
      throw new ConfigurationError(
        `labels: model takes the head of init, but ${directory} has no ${name} (its config.json: ${architectures.join(", ") || "none"}). Leave ` +
          "labels out for a new head.",
      );
    tracker.tell(
      `${directory} has no ${name}: a new head is trained, for ${found.length} labels: ${listLabels(found)}.`,
    );
    return { labels: found, newHead: true };
  }
  const own = config.id2label;
  const unknown = found.filter((label) => !own.includes(label));
  if (unknown.length > 0) {
    throw new UserError(
      `labels of the clips (${listLabels(found)}) must be labels of the head of ${directory} (${listLabels(own)}), but ` +
        `${listLabels(unknown)} ${unknown.length === 1 ? "is" : "are"} not. Give labels: data (--labels data) for a new head, or change the clips' labels.`,
    );
  }
  const unused = own.filter((label) => !found.includes(label));
  if (unused.length > 0)
    tracker.note(`Labels of the head without a clip to train on: ${listLabels(unused)}.`);
  return { labels: own, newHead: false };
}

/**
 * Says which labels have no clip to validate on, and refuses clips that no label of the head is there for: new speakers
 * alone are no mistake.
 *
 * @throws UserError for one label alone, and for labels that are only in the clips to validate on
 */
export function checkLabels(
  task: ClassificationTask,
  { train, held }: { train: readonly string[]; held: readonly string[] },
  labels: readonly string[],
  multiLabel: boolean,
  tracker: Pick<Tracker, "note" | "tell">,
): void {
  if (labels.length < 2 && !multiLabel)
    throw new UserError(
      `Clips to train on must have two labels or more to tell apart, but all have ${listLabels(train)}. Check the column (data.label).`,
    );
  const nan = train.filter((label) => label.toLowerCase() === "nan");
  if (nan.length > 0)
    tracker.note(`A label is called ${listLabels(nan)}, which is what empty cells of a table often become.`);
  const unknown = held.filter((label) => !labels.includes(label));
  if (unknown.length > 0 && task === "speaker") {
    tracker.tell(
      `${unknown.length} of ${held.length} speakers to validate on are not trained on: only pairs of clips are judged, no accuracy.`,
    );
    return;
  }
  if (unknown.length > 0)
    throw new UserError(
      `labels of the clips to validate on must be trained on (${listLabels(labels)}), but ${listLabels(unknown)} ` +
        `${unknown.length === 1 ? "is" : "are"} not. Move clips of ${unknown.length === 1 ? "it" : "them"} into the training split, or leave them out.`,
    );
  const missing = labels.filter((label) => !held.includes(label));
  if (missing.length > 0) tracker.note(`Labels without a clip to validate on: ${listLabels(missing)}.`);
}
