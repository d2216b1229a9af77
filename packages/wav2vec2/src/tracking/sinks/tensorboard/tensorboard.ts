import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { SAMPLE_RATE } from "../../../audio/audio-file.js";
import { clipSamples } from "../../../audio/flac/clip-flac.js";
import { encodeWav } from "../../../audio/wav/wav.js";
import { codebookPicture, codedClipPicture } from "../../report/pictures.js";
import type { RunDescription } from "../../run-description.js";
import type { ServiceSinkOptions } from "../../service-thread.js";
import type { MakeSink } from "../../threads/sink-worker.js";
import type { Clip } from "../clip-path.js";
import { readStepLines } from "../metrics-file.js";
import { EventFile, summary } from "./event-file.js";
import { writeHparams } from "./hparams.js";
import { block, list, plain, table } from "./markdown.js";
import type { Field } from "./protobuf.js";
import { audio, histogram, image, scalar, text } from "./summary.js";

/** TensorBoard shows a text of a step as a whole: more lines would only make the file long. */
const MOST_NOTES = 100;

/**
 * Writes event files into `tensorboard/` of the run directory: `tensorboard --logdir runs/` shows all runs, and each under
 * the name of its directory.
 */
const tensorBoard: MakeSink<ServiceSinkOptions> = (context, { directory }) => {
  const place = join(directory, "tensorboard");
  const notes: string[] = [];
  const heard = new Set<string>();
  /** Texts by their tags, until there is a file for them. */
  const waiting = new Map<string, Field[]>();
  let run: RunDescription | undefined;
  let file: EventFile | undefined;
  let step = 0;

  const open = (from: number): EventFile => {
    file ??= new EventFile(place, { step: from, time: context.now() });
    if (waiting.size > 0) file.append({ time: context.now(), step, what: summary([...waiting.values()]) });
    waiting.clear();
    return file;
  };
  const write = (values: readonly Field[][], at: number): void => {
    if (values.length === 0) return;
    // Where nobody says up to where an earlier process of the run counts, the first step says it.
    const events = file ?? open(run?.resumed ? at : 0);
    step = Math.max(step, at);
    events.append({ time: context.now(), step: at, what: summary(values) });
  };
  const say = (tag: string, markdown: string): void => {
    if (file) write([text(tag, markdown)], step);
    else waiting.set(tag, text(tag, markdown));
  };
  const noteText = (line: string): void => {
    notes.push(`step ${step}: ${line}`);
    if (notes.length > MOST_NOTES) notes.shift();
    say("notes", list(notes));
  };
  /** Each clip once: it does not change. */
  const writeAudio = async (clips: readonly (Clip & { reference?: string })[], at: number): Promise<void> => {
    for (const { reference, ...clip } of clips) {
      const samples = heard.has(clip.id) ? undefined : await clipSamples(clip);
      heard.add(clip.id);
      if (samples)
        write([audio(`clips/${clip.id}`, encodeWav(samples, SAMPLE_RATE), plain(reference ?? clip.id))], at);
    }
  };

  return {
    async begin(description) {
      run = description;
      if (!run.resumed) rmSync(place, { recursive: true, force: true }); // of a run that began here before
      mkdirSync(place, { recursive: true });
      await writeHparams(place, run, { time: context.now() });
      say("run", runTable(run));
      say("recipe", block(stringify(run.recipe)));
      say("model", block(JSON.stringify(run.config, undefined, 2)));
      if (!run.resumed) open(0);
    },
    resumed(at) {
      step = at.step;
      open(step + 1);
    },
    log(metrics, at) {
      write(
        Object.entries(metrics).map(([name, value]) => scalar(name, value)),
        at,
      );
    },
    note(line, finding) {
      noteText(line);
      if (!finding) return;
      const rows = readStepLines(join(directory, "findings.jsonl"));
      say("findings", list(rows.map(({ step, text }) => `step ${step}: ${text}`)));
    },
    async transcripts(samples, at) {
      const rows = samples.map(({ id, reference, hypothesis }) => [id, reference, hypothesis]);
      write([text("transcripts", table(["clip", "reference", "hypothesis"], rows))], at);
      await writeAudio(samples, at);
    },
    async codebooks(_counts, at) {
      const rows = readStepLines(join(directory, "codebooks.jsonl")).filter((row) => row.step <= at);
      const picture = await codebookPicture(rows);
      if (picture) write([image("codebooks", picture)], at);
    },
    async codedClips(clips, at) {
      for (const clip of clips) write([image(`coded_clips/${clip.id}`, await codedClipPicture(clip))], at);
      await writeAudio(clips, at);
    },
    histograms(histograms, at) {
      write(
        Object.entries(histograms).map(([name, values]) => histogram(name, values)),
        at,
      );
    },
    system(readings, at) {
      for (const { rank, values } of readings)
        write(
          Object.entries(values).map(([name, value]) =>
            scalar(`system/${rank === 0 ? "" : `rank ${rank}/`}${name}`, value),
          ),
          at,
        );
    },
    async end(end) {
      if (end.reason !== undefined) noteText(`The run failed: ${end.reason}`);
      if (run) await writeHparams(place, run, { time: context.now(), end });
    },
    async close() {
      if (waiting.size > 0 && run) open(step + 1);
      file?.close();
    },
  };
};

function runTable({
  id,
  task,
  host,
  device,
  processes,
  command,
  versions,
  parameters,
}: RunDescription): string {
  return table(
    ["", ""],
    [
      ["run", id],
      ["task", task],
      [
        "parameters",
        `${parameters.all.toLocaleString("en")}, ${parameters.trained.toLocaleString("en")} of them trained`,
      ],
      ["command", command.join(" ")],
      ["host", host],
      ["device", device],
      ["processes", processes],
      ...Object.entries(versions),
    ],
  );
}

export default tensorBoard;
