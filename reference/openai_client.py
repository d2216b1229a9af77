"""Asks a server for a recording's text as OpenAI's Python package does: python openai_client.py URL FILE."""

import json
import sys

import openai

url, path = sys.argv[1:]
client = openai.OpenAI(base_url=url, api_key="none", max_retries=0)


def transcribe(**options):
    with open(path, "rb") as file:
        return client.audio.transcriptions.create(file=file, model="whisper-1", **options)


words = transcribe(response_format="verbose_json", timestamp_granularities=["word"]).words
try:
    client.audio.transcriptions.create(file=("a.wav", b"some text"), model="whisper-1")
    error = None
except openai.BadRequestError as refusal:
    error = refusal.status_code
print(
    json.dumps(
        {
            "json": transcribe().text,
            "words": [word.word for word in words],
            "srt": transcribe(response_format="srt"),
            "events": [event.type for event in transcribe(stream=True)],
            "models": [model.id for model in client.models.list()],
            "error": error,
        }
    )
)
