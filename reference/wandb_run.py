"""Logs with Weights & Biases' own client what packages/wav2vec2/test/wandb-client.test.ts logs with this project's.

    python reference/wandb_run.py DIRECTORY ID {first,resumed,rewound}

The server and the key come from WANDB_BASE_URL and WANDB_API_KEY. DIRECTORY holds clip.wav, map.png and model/.
"""

import os
import sys

import wandb

directory, run_id, kind = sys.argv[1:]

settings = wandb.Settings(
    console="off",
    disable_git=True,
    disable_code=True,
    x_stats_sampling_interval=0.5,
    x_disable_meta=False,
    silent=True,
)
branch = {"resumed": {"resume": "allow", "id": run_id}, "rewound": {"resume_from": f"{run_id}?_step=20"}}
run = wandb.init(
    project="speech",
    entity="team",
    name="a run",
    tags=["tag"],
    notes="notes",
    group="group",
    job_type="pretrain",
    config={"recipe": {"max_steps": 30, "rate": 0.1}},
    dir=directory,
    settings=settings,
    **branch.get(kind, {"id": run_id}),
)
run.define_metric("train/global_step")
run.define_metric("*", step_metric="train/global_step")
if kind == "first":
    run.log({"train/global_step": 10, "loss": 1.5, "rate": float("nan")}, step=10)
    run.log({"train/global_step": 20, "loss": float("inf"), "rate": 0.25}, step=20)
    clip = os.path.join(directory, "clip.wav")
    run.log(
        {
            "train/global_step": 20,
            "audio": [wandb.Audio(clip, caption="a"), wandb.Audio(clip, caption="b")],
            "transcripts": wandb.Table(columns=["id", "wer"], data=[["a", 0.5]]),
            "map": wandb.Image(os.path.join(directory, "map.png"), caption="a map"),
            "maps": [
                wandb.Image(os.path.join(directory, "map.png"), caption="one"),
                wandb.Image(os.path.join(directory, "map.png"), caption="two"),
            ],
            "weights": wandb.Histogram(np_histogram=([1, 2], [0.0, 0.5, 1.0])),
        },
        step=20,
    )
    artifact = wandb.Artifact(f"model-{run_id}", type="model", metadata={"step": 30})
    artifact.add_dir(os.path.join(directory, "model"))
    run.log_artifact(artifact, aliases=["final"])
run.log({"train/global_step": 30, "loss": 0.5}, step=30 if kind != "resumed" else None)
run.summary["best"] = 0.5
run.finish()
