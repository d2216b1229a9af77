"""Reads what packages/wav2vec2/dist/text/formats writes with other projects' readers and compares it, of random transcripts.

    npm run build
    pip install webvtt-py==0.6.0 srt==3.5.3 pysrt==1.1.2 praatio==6.2.2 textgrid==1.6.1
    python reference/check_formats.py
"""

import html
import json
import random
import re
import subprocess
import tempfile
from pathlib import Path

import praatio.textgrid
import pysrt
import srt
import textgrid
import webvtt

FORMATS = Path(__file__).parent.parent / "packages/wav2vec2/dist/text/formats/formats.js"
WRITE = """
import { writeFileSync, readFileSync } from "node:fs";
const { transcriptWriter } = await import(process.argv[1]);
const cases = JSON.parse(readFileSync(0, "utf8"));
for (const [index, parts] of cases.entries())
  for (const format of ["json", "srt", "vtt", "textgrid", "ctm"]) {
    const writer = transcriptWriter(format, ";; my clip.flac", { characters: true });
    const text = writer.begin() + parts.map((part) => writer.add(part)).join("") + writer.end();
    writeFileSync(`${process.argv[2]}/${index}.${format}`, text);
  }
"""
WORDS = ["a", "I'm", '"so"', "-->", "<b>", "&amp;", "&", "ß", "日本語", "e\u0301", "😀", "1", "00:00:01,000", ";;", "NOTE", "*", "{}", "x" * 50, "don’t", "\\N", "مرحبا"]


def word(rng, start):
    text = rng.choice(WORDS)
    spoken = rng.uniform(0.02, 0.6)
    step = spoken / len(text)
    characters = [
        {"text": c, "start": start + i * step, "end": start + (i + 1) * step, "confidence": rng.random()} for i, c in enumerate(text)
    ]
    return {"text": text, "start": start, "end": start + spoken, "confidence": rng.random(), "characters": characters}


def parts_of(rng):
    time, parts = rng.choice([0, 7, 3599, 100000]), []
    for _ in range(rng.randint(1, 4)):
        start, words = time, []
        for _ in range(rng.choice([0, 1, 5, 30])):
            time += rng.choice([0, 0.02, 0.3, 1.2])
            words.append(word(rng, time))
            time = words[-1]["end"]
        time += rng.choice([0.01, 2])
        parts.append({"text": " ".join(each["text"] for each in words), "start": start, "end": time, "words": words})
    return parts


def cues_match(cues, words):
    """All words in order; no cue before its words, after them, or over the next; two lines, and 42 characters in more than one word."""
    assert " ".join(text.replace("\n", " ") for _, _, text in cues) == " ".join(each["text"] for each in words)
    at = 0
    for (start, end, text), after in zip(cues, [*cues[1:], None]):
        held = words[at : at + len(text.split())]
        at += len(held)
        assert abs(start - held[0]["start"]) < 0.0006 and end > held[-1]["end"] - 0.0006
        assert after is None or end <= after[0]
        assert len(text.split("\n")) <= 2 and all(len(line) <= 42 or " " not in line for line in text.split("\n"))


def tier_matches(entries, texts, end, off=1e-9):
    """Intervals (start, end, text) that fill the time and hold the texts."""
    assert abs(entries[0][0]) <= off and abs(entries[-1][1] - end) <= off
    assert all(a[1] == b[0] for a, b in zip(entries, entries[1:]))
    held = [entry for entry in entries if entry[2]]
    assert [entry[2] for entry in held] == [each["text"] for each in texts]
    assert all(abs(a[0] - b["start"]) <= off and abs(a[1] - b["end"]) <= off for a, b in zip(held, texts))


def check(stem, parts):
    words = [each for part in parts for each in part["words"]]
    end = parts[-1]["end"]

    found = json.loads(Path(f"{stem}.json").read_text("utf-8"))
    assert [each["text"] for each in found["words"]] == [each["text"] for each in words] and abs(found["duration"] - end) < 0.001

    seconds = lambda clock: clock.hours * 3600 + clock.minutes * 60 + clock.seconds + clock.milliseconds / 1000
    text = Path(f"{stem}.srt").read_text("utf-8")
    cues_match([(c.start.total_seconds(), c.end.total_seconds(), c.content) for c in srt.parse(text, ignore_errors=False)], words)
    cues_match([(seconds(c.start), seconds(c.end), c.text) for c in pysrt.from_string(text, error_handling=pysrt.ERROR_RAISE)], words)
    captions = webvtt.read(f"{stem}.vtt")
    cues_match([(c.start_in_seconds + c.start_time.milliseconds / 1000, c.end_in_seconds + c.end_time.milliseconds / 1000, html.unescape(c.raw_text)) for c in captions], words)

    characters = [character for each in words for character in each["characters"]]
    grid = praatio.textgrid.openTextgrid(f"{stem}.textgrid", includeEmptyIntervals=True)
    tier_matches([tuple(entry) for entry in grid.getTier("words").entries], words, end)
    tier_matches([tuple(entry) for entry in grid.getTier("characters").entries], characters, end)
    other = textgrid.TextGrid.fromFile(f"{stem}.textgrid")
    for tier, texts in zip(other.tiers, [words, characters]):
        tier_matches([(i.minTime, i.maxTime, i.mark.replace('""', '"')) for i in tier.intervals], texts, end, off=1e-5)  # it rounds

    lines = Path(f"{stem}.ctm").read_text("utf-8").splitlines()
    assert len(lines) == len(words)
    for line, each in zip(lines, words):
        name, channel, start, spoken, text, confidence = line.split(" ")
        assert (name, channel, text) == ("_;_my_clip", "1", each["text"])
        assert abs(float(start) - each["start"]) < 0.0006 and abs(float(spoken) - each["end"] + each["start"]) < 0.0006
        assert re.fullmatch(r"[01]\.\d{3}", confidence)


def main():
    rng = random.Random(3)
    cases = [parts_of(rng) for _ in range(200)]
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(
            ["node", "--input-type=module", "-e", WRITE, FORMATS.as_uri(), directory],
            input=json.dumps(cases),
            text=True,
            check=True,
        )
        for index, parts in enumerate(cases):
            check(f"{directory}/{index}", parts)
    print(f"{len(cases)} transcripts read back from five formats by seven readers")


main()
