"""Writes the config.json that Hugging Face writes for a default wav2vec 2.0 model, which configuration.test.ts compares with ours.

    python reference/golden_config.py
"""

import json
from pathlib import Path

from transformers import Wav2Vec2Config

GOLDEN = Path(__file__).parent.parent / "packages" / "wav2vec2" / "test" / "golden"

config = json.loads(Wav2Vec2Config(architectures=["Wav2Vec2ForCTC"]).to_json_string())
lines = [f"  {json.dumps(key)}: {json.dumps(config[key])}" for key in sorted(config)]
(GOLDEN / "huggingface-default-config.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
