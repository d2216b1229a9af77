"""Logs with Weights & Biases' own client what packages/wav2vec2/test/tracking/wandb/wandb-client.test.ts logs with this project's.

    python reference/wandb_run.py DIRECTORY {first,resumed,rewound}

The server and the key come from WANDB_BASE_URL and WANDB_API_KEY. DIRECTORY holds config.json, clip.wav, codebooks.png,
coded_clips.png and final/.
"""

import json
import os
import sys

import wandb

RUN_ID = "abcd1234"
STEP = "train/global_step"

directory, kind = sys.argv[1:]


def here(name):
    return os.path.join(directory, name)


with open(here("config.json")) as file:
    config = json.load(file)

branch = {
    "first": {"id": RUN_ID},
    "resumed": {"id": RUN_ID, "resume": "allow"},
    "rewound": {"resume_from": f"{RUN_ID}?_step=20"},
}
run = wandb.init(
    project="speech",
    entity="team",
    name="a run",
    tags=["tag"],
    notes="notes",
    group="group",
    job_type="pretrain",
    config=config,
    dir=directory,
    settings=wandb.Settings(console="off", disable_git=True, disable_code=True, silent=True),
    **branch[kind],
)
run.define_metric(STEP)
run.define_metric("*", step_metric=STEP)
if kind == "first":
    run.log({STEP: 10, "loss": 1.5, "rate": float("nan")}, step=10)
    run.log({STEP: 20, "loss": float("inf"), "rate": 0.25}, step=20)
    run.log({"eval/wer": 0.5}, step=20)
    columns = ["id", "reference", "hypothesis", "word errors", "words"]
    run.log(
        {
            "clips": [wandb.Audio(here("clip.wav"), sample_rate=16000, caption="a")],
            "transcripts": wandb.Table(columns=columns, data=[["a", "ONE TWO", "ONE TOO", 1, 2]]),
            "codebooks": wandb.Image(here("codebooks.png"), caption="to step 20"),
            "coded_clips": [wandb.Image(here("coded_clips.png"), caption="a")],
            "weights/head": wandb.Histogram(np_histogram=([1, 2], [0.0, 0.5, 1.0])),
        },
        step=20,
    )
    artifact = wandb.Artifact(f"model-{RUN_ID}", type="model", metadata={"step": 30})
    artifact.add_dir(here("final"))
    artifact.add_file(here("report.html"))
    run.log_artifact(artifact, aliases=["final"])
    run.log({STEP: 30, "loss": 0.5, "rate": 0.125}, step=30)
else:
    run.log({STEP: 25, "loss": 0.75}, **({"step": 25} if kind == "rewound" else {}))
run.finish()
