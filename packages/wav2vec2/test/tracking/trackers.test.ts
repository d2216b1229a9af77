import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { freePort, type PythonServer, startPythonServer } from "../fixtures/python-server.js";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";
import { rowsOf, TrainingProcess } from "../training/training-process.js";
import { TRACKERS_PYTHON } from "./tracker-fixture.js";

// Processes that train, shown in real servers of MLflow and Trackio. TRACKERS_PYTHON names a Python that has them.

const STEPS = 60;

describe.skipIf(!TRACKERS_PYTHON)("real trackers (skipped without TRACKERS_PYTHON)", () => {
  let directory: string;
  let output: string;
  let mlflow: PythonServer;
  let trackio: PythonServer;
  let env: Record<string, string>;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "trackers-"));
    output = join(directory, "runs", "tones");
    const data = join(directory, "corpus");
    await writeToneCorpus(data, { train: 30, dev: 3 });
    const recipe = {
      task: "finetune",
      max_steps: STEPS,
      data: { root: data, batch_seconds: 4, workers: 0 },
      optimizer: { learning_rate: 1e-3 },
      model: TINY_MODEL,
      logging_steps: 1,
      eval_steps: 10,
      save_steps: 10,
      histogram_steps: 20,
      threads: 1,
      tracking: ["tensorboard", "mlflow", "trackio"],
      log_model: "final",
      mlflow: { experiment: "tones of letters" },
    };
    await writeFile(join(directory, "recipe.yaml"), stringify(recipe));
    const [mlflowPort, trackioPort] = [await freePort(), await freePort()];
    const store = [
      "--backend-store-uri",
      `sqlite:///${directory}/mlflow.db`,
      "--artifacts-destination",
      join(directory, "artifacts"),
    ];
    const show = `import trackio; trackio.show(open_browser=False, block_thread=True, host="127.0.0.1", server_port=${trackioPort})`;
    [mlflow, trackio] = await Promise.all([
      startPythonServer(
        TRACKERS_PYTHON!,
        [
          "-m",
          "mlflow",
          "server",
          "--workers",
          "1",
          "--host",
          "127.0.0.1",
          "--port",
          String(mlflowPort),
          ...store,
        ],
        { port: mlflowPort, path: "/health", env: { MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false" } },
      ),
      startPythonServer(TRACKERS_PYTHON!, ["-c", show], {
        port: trackioPort,
        path: "/version",
        env: { TRACKIO_DIR: join(directory, "trackio"), TRACKIO_WRITE_TOKEN: "secret" },
      }),
    ]);
    env = {
      MLFLOW_TRACKING_URI: mlflow.url,
      TRACKIO_SERVER_URL: `${trackio.url}?write_token=secret`,
      TRACKIO_PROJECT: "letters",
    };
  }, 300_000);
  afterAll(async () => {
    await Promise.all([mlflow?.stop(), trackio?.stop()]);
    await rm(directory, { recursive: true, force: true });
  });

  // biome-ignore lint/suspicious/noExplicitAny: answers of other programs
  const get = async (path: string): Promise<any> =>
    await (await fetch(`${mlflow.url}/api/2.0/mlflow/${path}`)).json();
  // biome-ignore lint/suspicious/noExplicitAny: answers of other programs
  const ask = async (name: string, ...args: string[]): Promise<any> => {
    const body = JSON.stringify({ args, kwargs: {} });
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${trackio.url}/api/${name}`, { method: "POST", body, headers });
    // biome-ignore lint/suspicious/noExplicitAny: answers of other programs
    return ((await response.json()) as any).data;
  };
  const runId = async (): Promise<string> =>
    JSON.parse(await readFile(join(output, "mlflow.json"), "utf8")).run_id;
  const process = (...args: string[]) =>
    new TrainingProcess(directory, output, ["--config", "recipe.yaml", ...args], { env });

  it("show a run that was killed and went on", { timeout: 300_000 }, async () => {
    const killed = process();
    await killed.until(() => rowsOf(output).some(({ step }) => step! >= 25));
    killed.kill("SIGKILL");
    await killed.ended;
    const id = await runId();
    expect((await get(`runs/get?run_id=${id}`)).run.info.status).toBe("RUNNING");

    const resumed = process("--resume");
    expect(await resumed.ended, resumed.said).toBe(0);
    const { info, data } = (await get(`runs/get?run_id=${id}`)).run;
    expect(info).toMatchObject({ status: "FINISHED", run_name: "tones" });
    const history = await get(`metrics/get-history?run_id=${id}&metric_key=loss`);
    const steps: number[] = history.metrics.map(({ step }: { step: number }) => step);
    expect([...new Set(steps)].sort((a, b) => a - b)).toEqual(
      Array.from({ length: STEPS }, (_, step) => step + 1),
    );
    const last = rowsOf(output)
      .filter(({ loss }) => loss !== undefined)
      .at(-1)!;
    expect(history.metrics.at(-1)).toMatchObject({ step: STEPS, value: last.loss });
    expect(data.params).toContainEqual({ key: "optimizer.learning_rate", value: "0.001" });
    expect(data.metrics.map(({ key }: { key: string }) => key)).toEqual(
      expect.arrayContaining(["eval/wer", "grad_norm"]),
    );

    const list = async (path: string): Promise<string[]> =>
      ((await get(`artifacts/list?run_id=${id}&path=${path}`)).files ?? []).map(
        ({ path }: { path: string }) => path,
      );
    expect(await list("")).toEqual(
      expect.arrayContaining([
        "clips",
        "config.json",
        "log.txt",
        "model",
        "recipe.yaml",
        "report.html",
        "transcripts.json",
      ]),
    );
    expect(await list("model")).toEqual(
      expect.arrayContaining(["model/config.json", "model/model.safetensors"]),
    );
    const file = await fetch(`${mlflow.url}/get-artifact?run_id=${id}&path=model/model.safetensors`);
    expect(
      Buffer.from(await file.arrayBuffer()).equals(
        await readFile(join(output, "final", "model.safetensors")),
      ),
    ).toBe(true);
  });

  it("of Trackio have its metrics, texts and histograms", async () => {
    expect(await ask("get_runs_for_project", "letters")).toEqual([
      expect.objectContaining({ name: "tones" }),
    ]);
    const rows: Record<string, unknown>[] = await ask("get_logs", "letters", "tones");
    const steps = new Set(rows.filter(({ loss }) => loss !== undefined).map(({ step }) => step));
    expect(steps.size).toBe(STEPS);
    expect(rows.filter(({ transcripts }) => transcripts !== undefined).at(-1)).toMatchObject({
      step: STEPS,
      transcripts: {
        _type: "trackio.table",
        _value: expect.arrayContaining([expect.objectContaining({ reference: expect.any(String) })]),
      },
    });
    const histogram = rows.find((row) => row["weights/lm_head.weight"] !== undefined)![
      "weights/lm_head.weight"
    ];
    expect(histogram).toMatchObject({ _type: "trackio.histogram" });
    expect(Object.values(await ask("get_run_configs", "letters"))[0]).toMatchObject({
      "optimizer.learning_rate": 0.001,
    });
  });
});
