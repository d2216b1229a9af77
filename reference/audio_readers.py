"""Readers of audio files to compare: this project's, libsndfile's (two versions) and FFmpeg's."""

import io
import json
import select
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import soundfile

from audio_bytes import page_with

DIST = Path(__file__).parent.parent / "packages/wav2vec2/dist"
LONGEST = 600  # seconds that a file may take
MOST = 2**26  # samples
SYSTEM = "/usr/lib/x86_64-linux-gnu/libsndfile.so.1"


@dataclass
class Reading:
    """What a reader makes of a file: `samples` [channels, samples], or None where it refuses it."""

    samples: np.ndarray | None
    rate: int = 0
    reason: str = ""
    notes: list = field(default_factory=list)
    answer: dict = field(default_factory=dict)

    @property
    def length(self):
        return None if self.samples is None else self.samples.shape[1]


class Reader:
    """A process that reads one file after the other; one that ends, as libraries do on some files, is begun anew."""

    def __init__(self, command, out):
        self.command, self.out = command, Path(out)
        self.begin()

    def begin(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def ask(self, path):
        """Begins to read; `answer` gives what was read."""
        self.process.stdin.write(f"{path}\t{self.out}\n")
        self.process.stdin.flush()

    def answer(self):
        ready, _, _ = select.select([self.process.stdout], [], [], LONGEST)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.process.kill()
            self.process.wait()
            self.begin()
            return Reading(None, reason="crashed" if ready else "hangs", answer={"crashed": "the process ended or hangs"})
        answer = json.loads(line)
        samples = None
        if "samples" in answer:
            samples = np.fromfile(self.out, "<f4").reshape(answer["channels"], answer["samples"])
        return Reading(samples, answer.get("sampleRate", 0), answer.get("refused", ""), answer.get("notes", []), answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def ours(directory):
    return Reader(["node", str(Path(__file__).parent / "audio_reader.mjs"), str(DIST)], f"{directory}/ours")


def other(name, directory):
    """@param name of a function below"""
    return Reader([sys.executable, __file__, name], f"{directory}/{name}")


def at_48000(path):
    """The bytes of a file of Opus with 48,000 Hz as the rate of the recording, at which libsndfile then decodes; else the path."""
    data = Path(path).read_bytes()
    head = data.find(b"OpusHead", 0, 10_000)
    begin = data.rfind(b"OggS", 0, max(0, head))
    if begin < 0:
        return path
    size = 27 + data[begin + 26] + sum(data[begin + 27 : begin + 27 + data[begin + 26]])
    page = page_with(data[begin : begin + size], head - begin + 12, struct.pack("<I", 48000))
    sound = page_with(page, head - begin + 12, data[head + 12 : head + 16]) == data[begin : begin + size]  # its checksum was right
    return io.BytesIO(data[:begin] + page + data[begin + size :]) if sound else path


def libsndfile(path):
    try:
        path = at_48000(path)
        with soundfile.SoundFile(path) as file:
            if file.frames > MOST:  # it does not know how many there are
                return Reading(None, reason=f"tells {file.frames} samples")
            return Reading(file.read(dtype="float32", always_2d=True).T, file.samplerate)
    except (soundfile.LibsndfileError, ValueError, MemoryError) as error:
        return Reading(None, reason=str(error))


def system_libsndfile(path):
    soundfile._snd = soundfile._ffi.dlopen(SYSTEM)
    return libsndfile(path)


def ffmpeg(path):
    """Decodes as the command does: what cannot be decoded is left out, and said."""
    errors, parts, rate = [], [], 0
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            if not container.streams.audio:
                return Reading(None, reason="no stream of audio")
            stream = container.streams.audio[0]
            stream.codec_context.thread_count = 1
            packets = container.demux(stream)
            decoder = libopus(stream.codec_context) if stream.codec_context.name == "opus" else stream.codec_context
            # PyAV crashes on eight planes.
            form = decoder.format or stream.codec_context.format
            resampler = av.AudioResampler(form.packed.name) if form else None
            while True:
                try:
                    packet = next(packets)
                except StopIteration:
                    break
                except av.FFmpegError as error:
                    errors.append(str(error))
                    break
                try:
                    for frame in decoder.decode(packet):
                        rate = rate or frame.sample_rate
                        packed = resampler.resample(frame) if frame.format.is_planar and frame.layout.nb_channels > 7 else [frame]
                        parts.extend(floats(part) for part in packed)
                except av.FFmpegError as error:
                    errors.append(str(error))
    except (av.FFmpegError, ValueError, IndexError) as error:
        errors.append(str(error))
    if not parts:
        return Reading(None, reason="; ".join(errors) or "nothing decoded")
    if len({len(part) for part in parts}) > 1:
        parts = [part for part in parts if len(part) == len(parts[0])]
        errors.append("the number of channels changes")
    return Reading(np.concatenate(parts, axis=1), rate, "; ".join(errors))


def libopus(context):
    """FFmpeg's own decoder of Opus gives samples that differ by up to 0.2 from those of libopus, from which encoders work."""
    decoder = av.CodecContext.create("libopus", "r")
    decoder.extradata = context.extradata
    decoder.sample_rate = 48000
    return decoder


def floats(frame):
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    kind = frame.format.name.rstrip("p")
    if kind == "u8":
        return ((samples.astype(np.float32) - 128) / 128).astype(np.float32)
    if kind in ("s16", "s32"):
        return (samples / 2.0 ** (int(kind[1:]) - 1)).astype(np.float32)
    return samples.astype(np.float32)


def main():
    read = {"libsndfile": libsndfile, "system_libsndfile": system_libsndfile, "ffmpeg": ffmpeg}[sys.argv[1]]
    for line in sys.stdin:
        path, out = line.rstrip("\n").split("\t")
        reading = read(path)
        answer = {"refused": reading.reason, "sampleRate": reading.rate}
        if reading.samples is not None:
            np.ascontiguousarray(reading.samples, "<f4").tofile(out)
            answer |= {"channels": reading.samples.shape[0], "samples": reading.samples.shape[1]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
