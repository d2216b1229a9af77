"""Writes a minute and an hour of speech in many formats, for stream.mjs: python stream.py CLIPS TO (numpy, soundfile)."""

import pathlib
import sys

import numpy
import soundfile

FILES = [  # name, format, encoding, sample rate, channels
    ("16k.flac", "FLAC", "PCM_16", 16000, 1),
    ("16k.wav", "WAV", "PCM_16", 16000, 1),
    ("44k-stereo.wav", "WAV", "PCM_16", 44100, 2),
    ("44k.mp3", "MP3", "MPEG_LAYER_III", 44100, 1),
    ("48k.opus", "OGG", "OPUS", 48000, 1),
    ("44k.ogg", "OGG", "VORBIS", 44100, 1),
]
LENGTHS = {"minute": 60, "hour": 3600}  # seconds

clips, target = sys.argv[1:]
speech = []
for path in sorted(pathlib.Path(clips).rglob("*.flac")):
    speech.append(soundfile.read(path, dtype="float32")[0])
    if sum(map(len, speech)) >= 60 * 16000:
        break
speech = numpy.concatenate(speech)[: 60 * 16000]

for name, kind, encoding, rate, channels in FILES:
    # Linear interpolation will do: what is measured does not depend on the sound.
    places = numpy.arange(0, len(speech), 16000 / rate)
    resampled = numpy.interp(places, numpy.arange(len(speech)), speech).astype("float32")
    block = numpy.stack([resampled * (1 - 0.2 * channel) for channel in range(channels)], axis=1)
    for length, seconds in LENGTHS.items():
        path = f"{target}/{length}-{name}"
        with soundfile.SoundFile(path, "w", rate, channels, encoding, format=kind) as file:
            for second in range(seconds):  # libsndfile's Vorbis writer crashes on much longer pieces
                begin = second % 60 * rate
                file.write(block[begin : begin + rate])
