"""Compares what is read from thousands of files of real programs with libsndfile and FFmpeg: verdict, length and samples.

    apt-get install -y ffmpeg lame opus-tools vorbis-tools flac sox mp3splt mkvtoolnix id3v2 libsndfile1
    npm run build
    pip install soundfile==0.14.0 av==18.1.0 mutagen numpy
    python reference/audio_differences.py --files 5000 --seed 1
    python reference/audio_differences.py DIRECTORY     # files that are there, such as the fuzzer's mutants

Every file is read by its header and, in turns, whole, in blocks or as a stream by this project; by libsndfile as soundfile brings it and as
the system has it; by FFmpeg's libraries as PyAV brings them. Differences are counted by the rows of the table in docs/audio-measured.md. It fails
where one fits no row, where something else is read than both others have alike, without a note, and where a file is refused that both
read without an error and that is whole and one recording.
"""

import argparse
import collections
import json
import tempfile
from pathlib import Path

import numpy as np

from audio_corpus import generate
from audio_readers import other, ours

# Largest difference of a sample of the channels' average. Readers of what is lossless are equal to the bit, but the average
# is rounded; where MP3 files are joined, decoders go on from different rests.
TOLERANCES = collections.defaultdict(lambda: 1e-4, wav=1e-7, flac=1e-7, mp3=2e-4)

DAMAGED = ("-cutoff", "-lostpage", "-cutpages")
SEVERAL = ("-two_recordings", "-chained")
NOT_READ = ("adpcm", "-w64", "-W64", "-rifx", "-fourbytes", "-free")

# The rows of docs/audio-measured.md, by their keys.
ROWS = {
    "equal": "as both others, or as all that read it",
    "all-refuse": "refused by all",
    "alone": "read here alone: tags in front and behind, sizes left open",
    "one-other": "as the one other that reads it without an error",
    "damaged": "refused: cut off, a page missing, hardly a frame left, something unknown behind what does not tell its end",
    "several": "refused: several recordings",
    "flac-copy": "refused: FLAC cut or joined with -c copy whose header has the old length",
    "not-read": "refused: ADPCM, Wave64, RIFX, 24 bits in 4 bytes, free format",
    "empty": "refused: nothing left behind the encoder's delay",
    "vorbis-end": "Vorbis: FFmpeg plays on to the end of the last block",
    "mp3-counts": "MP3: where delay, padding and the length come from",
    "front-tag": "MP3: behind an APE tag in front, both others take the frame of a VBRI header for sound",
    "opus-begin": "Opus: the delay of a stream that begins late",
    "webm-delay": "WebM: FFmpeg leaves in what encoders put before and behind the sound",
    "joined": "Ogg: joined, or the last page not marked",
    "wav-blocks": "WAV: sizes and block sizes that do not fit",
    "ffmpeg-opus": "Opus: FFmpeg's samples differ from libopus's, or it leaves in what is behind them",
    "mutant": "made by the fuzzer: headers and parts changed at random",
}


def average(reading):
    return reading.samples.mean(axis=0, dtype=np.float64)


def unlike(first, second, tolerance):
    """In words, how two readings differ; None where they do not."""
    if first.samples is None or second.samples is None:
        return None if first.samples is second.samples else "verdict"
    if first.length != second.length:
        return f"length {first.length}/{second.length}"
    if first.length == 0:
        return None
    if first.rate != second.rate:
        return f"rate {first.rate}/{second.rate}"
    if len(first.samples) != len(second.samples):
        return f"channels {len(first.samples)}/{len(second.samples)}"
    with np.errstate(invalid="ignore"):
        worst = np.abs(average(first) - average(second)).max()
    return None if worst <= tolerance or np.isnan(worst) else f"samples {worst:.2g}"


def compared(path, read, others):
    """What all readers made of a file."""
    sndfile, system, ff = others
    tolerance = TOLERANCES[path.name.split("-")[1]]
    return {
        "file": path.name,
        "lengths": [reading.length for reading in (read, *others)],
        "to_libsndfile": unlike(read, sndfile, tolerance),
        "to_system": unlike(read, system, tolerance),
        "to_ffmpeg": unlike(read, ff, tolerance),
        "others": unlike(sndfile, ff, tolerance),
        "refused": read.reason,
        "code": read.answer.get("code"),
        "notes": read.notes,
        "errors": [sndfile.reason[:90], ff.reason[:90]],
        "told": read.answer.get("info", True),
        "crashed": read.answer.get("crashed"),
    }


def row_of(result):
    """@returns the key of the row that a result belongs to; None where there is none"""
    name, kind = result["file"], result["file"].split("-")[1]
    own, sndfile, _, ff = [length or None for length in result["lengths"]]
    is_clean = ff is not None and not result["errors"][1]
    has = lambda words: any(word in name for word in words)
    if own is None and sndfile is None and not is_clean:
        return "all-refuse"
    if name.startswith("mutant-"):
        return "equal" if own is not None and None in (result["to_libsndfile"], result["to_ffmpeg"]) else "mutant"
    if own is None:
        if has(DAMAGED) or (has(("-nomark", "-nolength", "webm")) and "-tags" in name) or "-lead" in name:
            return "damaged"
        if has(SEVERAL):
            return "several"
        if has(NOT_READ):
            return "not-read"
        if result["code"] == "ERR_AUDIO_EMPTY" or "-preskip" in name:
            return "empty"
        return "flac-copy" if kind == "flac" and "-copy_" in name else None
    if sndfile is None and not is_clean:
        return "alone"
    as_sndfile, as_ffmpeg = result["to_libsndfile"] is None, result["to_ffmpeg"] is None
    if as_sndfile and as_ffmpeg:
        return "equal"
    if (as_sndfile and not is_clean) or (as_ffmpeg and sndfile is None):
        return "one-other"
    if kind == "webm" and "-copy_ogg" in name and as_ffmpeg:
        return "opus-begin"
    if kind == "webm" and ff > own:
        return "webm-delay"
    if kind in ("opus", "vorbis", "flac") and has(("-copy_concat", "-nomark", "-chained", "-cutpages", "-lostpage")):
        return "joined"
    if kind == "vorbis":
        return "vorbis-end" if as_sndfile or sndfile is None else "joined" if has(("-moved", "-station", "-copy_")) else None
    if kind == "mp3" and "-vbri-tags" in name and result["others"] is None:
        return "front-tag"
    if kind == "mp3" and (as_sndfile or as_ffmpeg or has(("-counts", "-lead", "-cat", "-notag", "-vbri", "-tags"))):
        return "mp3-counts"
    if kind == "opus" and has(("-moved", "-station", "-preskip", "-copy_")):
        return "opus-begin"
    if kind in ("opus", "webm") and (as_sndfile or sndfile is None):
        return "ffmpeg-opus"
    if kind == "wav" and (as_sndfile or as_ffmpeg or has(("-riffodd", "-align"))):
        return "wav-blocks"
    return None


def fault_of(result, row):
    """In words, what must not be; None where all is as it should be."""
    own, sndfile, _, ff = result["lengths"]
    if result["crashed"]:
        return "crashed"
    if not result["told"]:
        return "the header tells another length"
    both = sndfile is not None and ff is not None and not any(result["errors"])
    if own is None and both and row is None:
        return "refused, though both others read it"
    if own is not None and both and result["others"] is None and row != "front-tag" and not result["notes"] and result["to_libsndfile"] and result["to_ffmpeg"]:
        return "another result than both others have"
    return "in no row of the table" if row is None else None


def compare(paths):
    with tempfile.TemporaryDirectory() as directory:
        readers = [ours(directory), *(other(name, directory) for name in ("libsndfile", "system_libsndfile", "ffmpeg"))]
        for path in paths:
            for reader in readers:
                reader.ask(path)
            first, *others = [reader.answer() for reader in readers]
            yield compared(path, first, others)
        for reader in readers:
            reader.close()


def report(results):
    """Prints faults and how many files each row has. @returns how many faults"""
    rows, faults = collections.Counter(), 0
    versions = 0
    for result in results:
        row = row_of(result)
        rows[row] += 1
        versions += result["to_libsndfile"] is None and result["to_system"] is not None
        if fault := fault_of(result, row):
            faults += 1
            print(fault, json.dumps(result), flush=True)
    for row, count in rows.most_common():
        print(f"{count:6} {ROWS.get(row, 'in no row of the table')}")
    print(f"{versions:6} of them as soundfile's libsndfile reads them, but not the system's")
    print(f"{sum(rows.values())} files, {faults} faults")
    return faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", nargs="?", type=Path)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, help="a line of JSON for each file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        if options.directory:
            paths = sorted(path for path in options.directory.iterdir() if path.is_file())
        else:
            paths, left = generate(directory, options.files, options.seed)
            print(f"{len(paths)} files, {len(left)} times a program refused the options that were drawn")
        results = compare(paths)
        if options.results:
            results = list(results)
            options.results.write_text("".join(json.dumps(result) + "\n" for result in results))
        raise SystemExit(report(results) > 0)


if __name__ == "__main__":
    main()
