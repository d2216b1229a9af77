"""The files beside the weights as the transformers that runs this writes them, from 4.3 to today; needs no torch.

    python reference/checkpoint_forms_old.py DIRECTORY CONFIGURATION.json VOCABULARY.json

Called by checkpoint_forms.py with the Pythons of other environments.
"""

import json
import sys

import transformers


def write(directory, configuration, vocabulary):
    with open(configuration) as file:
        settings = json.load(file)
    config = transformers.Wav2Vec2Config(**settings)
    config.architectures = ["Wav2Vec2ForCTC"]
    config.save_pretrained(directory)
    # In 4.3 one class was tokenizer and feature extractor.
    name = "Wav2Vec2CTCTokenizer" if hasattr(transformers, "Wav2Vec2CTCTokenizer") else "Wav2Vec2Tokenizer"
    getattr(transformers, name)(vocabulary).save_pretrained(directory)
    if hasattr(transformers, "Wav2Vec2FeatureExtractor"):
        transformers.Wav2Vec2FeatureExtractor().save_pretrained(directory)


write(*sys.argv[1:])
