"""Writes the config.json that Hugging Face writes for a default wav2vec 2.0 model.

    python reference/golden_config.py

configuration.test.ts compares it with ours. One key a line and 1e-5 for 1e-05: as this project's formatter has it.
"""

import json
from pathlib import Path

from transformers import Wav2Vec2Config

GOLDEN = Path(__file__).parent.parent / "packages" / "wav2vec2" / "test" / "golden"

config = json.loads(Wav2Vec2Config(architectures=["Wav2Vec2ForCTC"]).to_json_string())
lines = [f"  {json.dumps(key)}: {json.dumps(config[key])}".replace("e-0", "e-") for key in sorted(config)]
(GOLDEN / "huggingface-default-config.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
