import { join } from "node:path";
import { requireArguments } from "../../argument-kinds.js";
import { type ClipBatch, clipBatches } from "../../classification/classifier-batches.js";
import { type Classifier, saveClassifier } from "../../classification/classifier-directory.js";
import { CLASSIFICATION_TASKS } from "../../classification/tasks.js";
import { counted } from "../../counted.js";
import type { AugmentationOptions } from "../../data/batches/augmentation.js";
import { batchOrder, shareOfBatches } from "../../data/batches/batches.js";
import type { BatchLoadOptions } from "../../data/batches/load-batches.js";
import type { Transforms } from "../../data/batches/transforms.js";
import { requireLabels } from "../../data/labels/clip-labels.js";
import { emptyLabelFolders } from "../../data/labels/empty-folders.js";
import type { World } from "../../distributed/world.js";
import { UserError } from "../../errors.js";
import { knownClips, labelsOf } from "../../evaluation/classification/evaluate-classifier.js";
import type { KnownClip } from "../../evaluation/classification/judge.js";
import { requireOptions } from "../../known-options.js";
import type { Wav2Vec2Config } from "../../model/configuration.js";
import { configWithKeys, readConfig } from "../../model/configuration-file.js";
import {
  CLASSIFIERS,
  type ClassificationModel,
  type ClassificationTask,
} from "../../model/heads/classification-task.js";
import { PRESETS } from "../../model/presets.js";
import { loadModel, NEW_HEAD, type NewHead } from "../../pretrained/model-directory.js";
import { readNormalize } from "../../pretrained/preprocessor.js";
import type { Tracker } from "../../tracking/tracker.js";
import { batchLimitsOf, batchPlanOf } from "../loop/batch-plan.js";
import { train } from "../loop/loop.js";
import type { Recipe } from "../recipe/recipe.js";
import { RECIPE } from "../recipe/recipe-kind.js";
import { type ClassificationRecipe, requireClassification } from "../recipe/recipe-rules.js";
import { annealHead } from "../run/anneal-head.js";
import { findAugmentation } from "../run/augmentation-files.js";
import {
  findInit,
  type OwnModel,
  prepareNetwork,
  requireLearnedBackbone,
  requireSameShape,
  requireSubclass,
  useSpanSampler,
} from "../run/initial-model.js";
import { fingerprint, hoursOf, RUN_OPTIONS, type RunOptions, withRun } from "../run/training-run.js";
import { requireUsable, usableLengths } from "../run/usable-lengths.js";
import { changedTask } from "../task/changed-task.js";
import { meansOf } from "../task/means.js";
import type { Task } from "../task/task.js";
import { checkLabels, chooseLabels } from "./choose-labels.js";
import { classificationLoss, type KnownClips } from "./classification-loss.js";
import { validate } from "./validate.js";

export interface ClassifierTraining<Model extends ClassificationModel = ClassificationModel> {
  /** Directory of the best model on the validation split; undefined where the run was interrupted before any. */
  model: string | undefined;
  steps: number;
  /** Of the best model: of the task classify. */
  accuracy?: number;
  /** Of the task frames. */
  macroF1?: number;
  /** Of the task speaker. */
  equalErrorRate?: number;
  /** All that the best validation found; not of `classifier`. */
  metrics: Readonly<Record<string, number>> | undefined;
  interrupted: boolean;
  /** The classifier in memory, as it is behind the last step: not the best one, which `loadClassifier(model)` reads. */
  classifier: Classifier<Model>;
}

/** What is trained by `trainClassifier`, to change: its members use each other by no `this`, so a spread copy works. */
export interface ClassifierTask<Model extends ClassificationModel = ClassificationModel>
  extends Task<ClipBatch> {
  classifier: Classifier<Model>;
  /** The clips to train and to validate on, with their labels. */
  utterances: readonly KnownClip[];
  held: readonly KnownClip[];
}

/** What `trainClassifier` gets besides its recipe. */
export interface ClassifierOptions<Model extends ClassificationModel = ClassificationModel>
  extends RunOptions {
  /** Changes what is trained and how: `(base) => ({ ...base, loss(batch) { … } })`. */
  task?: ((base: ClassifierTask<Model>) => Task<ClipBatch>) | undefined;
}

/**
 * Trains a classification head, and the network below it, as the recipe says, into the run directory `recipe.output`: the
 * tasks `classify` (a label for a clip), `frames` (labels of frames) and `speaker` (a vector that tells speakers apart).
 *
 * @param options.model a subclass of the task's class, such as `Wav2Vec2ForSequenceClassification` of `classify`
 * @throws UserError on bad data, labels that a model's head has not, or an output directory that holds another run
 * @throws ConfigurationError where the model's class is not of the recipe's task, and for options that do not exist
 * @throws HookError where a hook of the task fails, naming it and the step
 * @throws the signal's reason where it is aborted while a model is downloaded
 */
export async function trainClassifier<Model extends ClassificationModel>(
  given: Recipe,
  options: ClassifierOptions<Model> & OwnModel<Model>,
): Promise<ClassifierTraining<Model>>;
export async function trainClassifier(
  given: Recipe,
  options?: ClassifierOptions,
): Promise<ClassifierTraining>;
export async function trainClassifier(
  given: Recipe,
  options: ClassifierOptions & Partial<OwnModel<ClassificationModel>> = {},
): Promise<ClassifierTraining> {
  requireArguments("trainClassifier", { recipe: [given, RECIPE] });
  const wanted = requireClassification(given);
  requireLearnedBackbone(wanted);
  requireOptions("trainClassifier", options, { ...RUN_OPTIONS, task: true, model: true, newHead: NEW_HEAD });
  const { task: change, model: modelClass = CLASSIFIERS[wanted.task], newHead, ...runOptions } = options;
  requireSubclass(modelClass, CLASSIFIERS[wanted.task]);
  return await withRun(wanted, runOptions, async (run) => {
    const { readSplits, loading, device, plan, begin, world, tracker, transforms } = run;
    const column = wanted.data.label ?? CLASSIFICATION_TASKS[wanted.task].column;
    const splits = await readSplits("none", [column]);
    const known = (split: "train" | "held") => {
      const source = split === "train" ? wanted.data.train_split : wanted.data.eval_split;
      const { root, on_bad_data } = wanted.data;
      const { labelled, unlabelled } = knownClips(wanted.task, splits[split], { column, source, root });
      requireLabels(unlabelled, on_bad_data);
      if (unlabelled[0])
        tracker.note(
          `${counted(unlabelled.length, "clip")} of ${source} without a label ${unlabelled.length === 1 ? "is" : "are"} left out. The first: ${unlabelled[0].message}`,
        );
      return labelled;
    };
    const trained = known("train");
    await noteEmptyFolders(trained, tracker);
    const [all, held] = [usable(wanted, trained, tracker), known("held")];
    const init = await findInit(wanted, options);
    const classifier = await makeClassifier(wanted, init, { all, held, modelClass, newHead, tracker });
    const recipe = await run.settle(wanted, classifier.model.config);
    await useSpanSampler(classifier.model.wav2vec2, transforms);
    classifier.model.to({ device });
    tracker.tell(summary(classifier, all, held));
    const augmentation = await findAugmentation(recipe.data);
    const planned = plan(recipe, all);
    const clips = { train: all, held, augmentation, transforms, loading, world };
    const base = classificationTask(recipe, classifier, clips, tracker);
    const { task, ownHooks } = changedTask(base, change);
    await begin(task.data, { module: task.module, config: classifier.model.config });
    const { best, steps, interrupted } = await train(planned, task, { ...run, ownHooks });
    return {
      model: best && join(recipe.output, "best"),
      steps,
      ...scoreOf(recipe.task, best?.metrics ?? {}),
      metrics: best?.metrics,
      interrupted,
      classifier,
    };
  });
}

/** The score that people know a task by. */
function scoreOf(
  task: ClassificationTask,
  { accuracy, macro_f1: macroF1, eer: equalErrorRate }: Readonly<Record<string, number>>,
): Partial<ClassifierTraining> {
  if (task === "speaker") return equalErrorRate === undefined ? {} : { equalErrorRate };
  if (task === "frames") return macroF1 === undefined ? {} : { macroF1 };
  return accuracy === undefined ? {} : { accuracy };
}

/** The model to start from: a directory's weights, or random ones, with a head for the labels. */
async function makeClassifier(
  recipe: ClassificationRecipe,
  init: string | undefined,
  {
    all,
    held,
    modelClass,
    newHead: wanted = "where missing",
    tracker,
  }: {
    all: readonly KnownClip[];
    held: readonly KnownClip[];
    modelClass: new (config: Wav2Vec2Config) => ClassificationModel;
    newHead: NewHead | undefined;
    tracker: Tracker;
  },
): Promise<Classifier> {
  const { task } = recipe;
  const base = init ? await readConfig(init) : PRESETS[recipe.preset];
  const start = init === undefined ? undefined : { directory: init, config: base };
  const found = labelsOf(all);
  if (found.length === 0) throw new UserError("Clips to train on must have labels, but none has any.");
  const { labels, newHead } = await chooseLabels(recipe, start, found, tracker);
  const severalLabels = task === "frames" && newHead ? { problem_type: "multi_label_classification" } : {};
  const config: Wav2Vec2Config = configWithKeys(
    base,
    { ...severalLabels, ...recipe.model, id2label: labels },
    "The recipe's model",
  );
  const multiLabel = task === "frames" && config.problemType === "multi_label_classification";
  checkLabels(task, { train: found, held: labelsOf(held) }, labels, multiLabel, tracker);
  if (init) requireSameShape(init, base, config);
  const model = init
    ? await loadModel(modelClass, init, {
        config: () => config,
        newHead: newHead ? "always" : modelClass === CLASSIFIERS[task] ? "never" : wanted,
        newAdapters: base.adapterAttnDim === null,
        onNote: (text) => tracker.note(text),
      })
    : new modelClass(config);
  prepareNetwork(model, recipe);
  return { model, normalize: recipe.data.normalize ?? (init ? await readNormalize(init) : true) };
}

/** Says which directories stand for labels and hold no clip, so that the head does not have them. */
async function noteEmptyFolders(clips: readonly KnownClip[], tracker: Tracker): Promise<void> {
  const empty = await emptyLabelFolders(clips.filter((clip) => "label" in clip));
  if (empty.length === 0) return;
  const [are, have] =
    empty.length === 1 ? ["A directory of a label is", "it has"] : ["Directories of labels are", "they have"];
  tracker.note(`${are} empty, so ${have} no place in the head: ${empty.join(", ")}.`);
}

/** What can be trained on, with a note on what was left out and why. */
function usable(recipe: Recipe, clips: readonly KnownClip[], tracker: Tracker): KnownClip[] {
  const kept = usableLengths(recipe, clips, tracker);
  requireUsable(recipe, kept, clips);
  return kept;
}

interface ClassificationData {
  train: readonly KnownClip[];
  held: readonly KnownClip[];
  augmentation: AugmentationOptions | undefined;
  transforms: Transforms | undefined;
  loading: BatchLoadOptions;
  world: World;
}

function classificationTask(
  recipe: ClassificationRecipe,
  classifier: Classifier,
  { train: clips, held, augmentation, transforms, loading, world }: ClassificationData,
  tracker: Tracker,
): ClassifierTask {
  const { model } = classifier;
  const { encoder } = model.wav2vec2;
  const { seed } = recipe;
  const known: KnownClips = new Map(clips.map((clip) => [clip.id, clip]));
  return {
    classifier,
    utterances: clips,
    held,
    module: model,
    data: fingerprint(clips),
    batches: (from) => {
      const plan = shareOfBatches(batchOrder(clips, batchPlanOf(recipe), from), world);
      return clipBatches(classifier, clips, plan, { ...loading, seed, augmentation, transforms });
    },
    anneal: (step) => annealHead(model, recipe, step, tracker),
    idle: () => [...encoder.skippedParameters(), ...model.unusedParameters()],
    loss: (batch) => classificationLoss(classifier, batch, known),
    metrics: meansOf,
    evaluate: (step, signal) =>
      validate(classifier, held, { ...batchLimitsOf(recipe), ...loading, signal, world }, (samples) =>
        tracker.transcripts(samples, step),
      ),
    save: (kind) => saveClassifier(join(recipe.output, kind), classifier),
  };
}

function summary({ model }: Classifier, clips: readonly KnownClip[], held: readonly KnownClip[]): string {
  return (
    `${(model.parameterCount() / 1e6).toFixed(2)} M parameters, ${counted(model.labels.length, "label")}, ` +
    `${counted(clips.length, "utterance")} (${hoursOf(clips)} h) to train on, ${held.length} (${hoursOf(held)} h) to validate on.`
  );
}
