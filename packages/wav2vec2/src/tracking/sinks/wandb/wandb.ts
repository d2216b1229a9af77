import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../../errors.js";
import { sumErrors, wordErrors } from "../../../text/scoring/error-rate.js";
import type { Rows } from "../../report/metric-series.js";
import { codebookPicture, codedClipPicture } from "../../report/pictures.js";
import { reportPath } from "../../report/report.js";
import type { RunEnd } from "../../run-description.js";
import type { ServiceSinkOptions } from "../../service-thread.js";
import type { SinkContext } from "../../sink-context.js";
import type { MakeSink } from "../../threads/sink-worker.js";
import type { Sink } from "../../tracker.js";
import { readStepLines } from "../metrics-file.js";
import { terminalProgress } from "../terminal.js";
import { TIMING, type Timing, UnreachableError, WandbApi } from "./api.js";
import { describeArtifact } from "./artifact.js";
import { type Found, findRun } from "./join.js";
import { histogramValue } from "./media.js";
import { WandbRun } from "./run.js";
import { readSettings, type WandbSettings } from "./settings.js";

/** As W&B's own client has them; an interruption's is that of Ctrl+C there. */
const EXIT_CODES: Readonly<Record<RunEnd["state"], number>> = { finished: 0, failed: 1, interrupted: 255 };

interface Setting {
  environment?: NodeJS.ProcessEnv;
  timing?: Timing;
}

/** Shows a run in Weights & Biases, or keeps it for `wandb sync`. */
const makeWandb: MakeSink<ServiceSinkOptions> = (context, options) => wandbSink(context, options);

export default makeWandb;

/** {@link makeWandb}, with what tests put in place of the process's environment and of W&B's waiting times. */
export function wandbSink(
  context: SinkContext,
  options: ServiceSinkOptions,
  { environment = process.env, timing = TIMING }: Setting = {},
): Sink {
  let run: WandbRun | undefined;
  /** What is left to do once it is known from which step the run goes on. */
  let branch: ((step: number) => Promise<void>) | undefined;
  let end: RunEnd | undefined;
  let closed = false;
  const early: string[] = [];
  const findings: (readonly [step: number, name: string, text: string])[] = [];
  const codebooks: Rows[number][] = [];
  const models = new Map<"best" | "final", { directory: string; step: number }>();

  // The lines that people see where there is no terminal.
  const console = terminalProgress({
    steps: undefined,
    stream: {
      write(text) {
        for (const line of text.replace(/\n$/, "").split("\n")) {
          if (run) run.output(line);
          else early.push(line);
        }
      },
    },
    now: () => context.now(),
  });
  const picture = async <Drawn>(draw: Promise<Drawn>): Promise<Drawn | undefined> => {
    try {
      return await draw;
    } catch (error) {
      if (error instanceof UserError) return undefined; // no font
      throw error;
    }
  };
  const decideBranch = async (step: number): Promise<void> => {
    const decided = branch?.(step);
    branch = undefined;
    await decided?.catch(leave);
  };
  /** Where a server is lost, what is logged is only written down. */
  const leave = (result: unknown): void => {
    if (!run || !(result instanceof Error)) return;
    run.leave();
    context.note(
      `Weights & Biases cannot be reached: ${result.message}. What is logged is kept on this computer; upload it with: ${run.syncCommand}`,
    );
  };

  return {
    planned: console.planned,
    async begin(description) {
      const settings = readSettings(description, options.wandb, environment);
      const setting = { context, settings, run: description };
      const api = connect(settings, options, context, timing);
      const found = api && (await reached(findRun(api, settings)));
      if (!api || !found || found instanceof UnreachableError) run = WandbRun.offline(setting);
      else {
        const isCut = settings.resume === "rewind" && found.status !== undefined;
        const online = WandbRun.online(setting, isCut ? withoutSummary(found) : found);
        run = online;
        const joinRun = async (behind?: number): Promise<void> => {
          const page = await online.join(api, found, behind);
          context.note(`Weights & Biases shows the run at ${page}`);
        };
        if (isCut) branch = joinRun;
        else await reached(joinRun()).then(leave);
      }
      for (const line of early.splice(0)) run.output(line);
      leave(found);
    },
    async resumed({ step }) {
      await decideBranch(step);
      codebooks.push(...readStepLines(join(options.directory, "codebooks.jsonl")));
    },
    async log(metrics, step) {
      await decideBranch(0);
      console.log(metrics, step);
      run?.add(metrics, step);
    },
    async note(text, finding) {
      console.note(text);
      if (!finding || !run) return;
      findings.push([finding.step, finding.name, text]);
      const table = await run.media.table("findings", finding.step, ["step", "name", "text"], findings);
      run.add({ findings: table }, finding.step);
    },
    async transcripts(samples, step) {
      console.transcripts(samples);
      if (!run) return;
      const rows = samples.map(({ id, reference, hypothesis }) => {
        const errors = wordErrors(reference, hypothesis);
        return [id, reference, hypothesis, sumErrors(errors), errors.words];
      });
      const columns = ["id", "reference", "hypothesis", "word errors", "words"];
      const clips = samples.map((sample) => ({ ...sample, caption: `${sample.id}: ${sample.hypothesis}` }));
      const audio = await run.media.audio("clips", step, clips);
      run.add(
        {
          transcripts: await run.media.table("transcripts", step, columns, rows),
          ...(audio && { clips: audio }),
        },
        step,
      );
    },
    async codebooks(counts, step) {
      codebooks.push({ step, counts });
      const drawn = await picture(codebookPicture(codebooks));
      if (run && drawn)
        run.add({ codebooks: await run.media.image("codebooks", step, drawn, `to step ${step}`) }, step);
    },
    async codedClips(clips, step) {
      if (!run) return;
      const pictures = [];
      for (const clip of clips) {
        const drawn = await picture(codedClipPicture(clip));
        if (drawn) pictures.push({ ...drawn, caption: clip.id });
      }
      const images = await run.media.images("coded_clips", step, pictures);
      const named = clips.map((clip) => ({ ...clip, caption: clip.id }));
      const audio = await run.media.audio("clips", step, named);
      run.add({ ...(images && { coded_clips: images }), ...(audio && { clips: audio }) }, step);
    },
    histograms(histograms, step) {
      const values = Object.entries(histograms).map(([name, one]) => [name, histogramValue(one)]);
      run?.add(Object.fromEntries(values), step);
    },
    system(readings) {
      console.system(readings);
      run?.system(readings);
    },
    saved(kind, directory, step) {
      models.set(kind, { directory, step });
      if (kind === "best") run?.best(step);
    },
    end(how) {
      end = how;
      if (how.reason) console.note(`Training failed: ${how.reason}`);
    },
    async close() {
      if (!run || closed) return;
      closed = true;
      await decideBranch(0);
      await console.close();
      const { logModel } = options;
      const model = end?.state === "finished" && logModel !== "none" ? models.get(logModel) : undefined;
      if (model && logModel !== "none") {
        const report = reportPath(options.directory);
        run.artifact(
          await describeArtifact(run.path, {
            name: `model-${run.path.run}`,
            type: "model",
            aliases: [logModel],
            metadata: { step: model.step },
            directory: model.directory,
            files: existsSync(report) ? [report] : [],
          }),
        );
      }
      await run.finish(EXIT_CODES[end?.state ?? "failed"]);
      if (run.options.settings.mode === "offline")
        context.note(`Weights & Biases: upload the run with: ${run.syncCommand}`);
    },
  };
}

/** @returns nothing where the run stays on this computer */
function connect(
  { mode, baseUrl, key }: WandbSettings,
  { because }: ServiceSinkOptions,
  context: SinkContext,
  timing: Timing,
): WandbApi | undefined {
  if (mode === "offline") return undefined;
  if (key !== undefined) {
    const api = new WandbApi(baseUrl, key, timing);
    api.onTrouble = (reason) =>
      context.note(
        `Weights & Biases cannot be reached (${reason}). It is asked again until it can; nothing is lost.`,
      );
    return api;
  }
  const remedy = "Log in with: wandb login. Or set WANDB_API_KEY, or WANDB_MODE=offline";
  if (because === "recipe")
    throw new UserError(
      `Weights & Biases must be given a key for ${baseUrl}, but there is none in WANDB_API_KEY or ~/.netrc. ${remedy} to keep the ` +
        "run on this computer.",
    );
  context.note(`Weights & Biases is not sent anything, as there is no key for ${baseUrl}. ${remedy}.`);
  return undefined;
}

/** That of a run which is cut tells of what is no more. */
function withoutSummary(found: Found): Found {
  return { ...found, past: { ...found.past, summary: {} } };
}

/** That nobody answers comes back as a value. */
async function reached<Result>(asked: Promise<Result>): Promise<Result | UnreachableError> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof UnreachableError) return error;
    throw error;
  }
}
