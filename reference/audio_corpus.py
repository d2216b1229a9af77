"""Makes thousands of short audio files with real programs, by a seed: encoders with their options, cuts, joins, tags.

    apt-get install -y ffmpeg lame opus-tools vorbis-tools flac sox mp3splt mkvtoolnix id3v2
"""

import os
import struct
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import mutagen.apev2
import mutagen.flac
import mutagen.id3
import numpy as np
import soundfile

from audio_bytes import (
    ID3V1, ape, bext, chunk, format_chunk, id3v2, id3v22, info_list, lyrics3, moved, page_with, pages, pcm, rf64, unmarked, wav, with_serial,
)

RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 176400, 192000)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000 1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082".replace(" ", "")
)


def speechlike(rate, length, channels, seed):
    """Chirps under an envelope with noise, alike in all channels: [length, channels] in (-1, 1)."""
    random = np.random.default_rng(seed)
    time = np.arange(length) / rate
    low = min(200, rate / 20)
    common = 0.5 * np.sin(2 * np.pi * (low + low * 2 * time) * time) * (0.6 + 0.4 * np.sin(2 * np.pi * 5 * time))
    noise = random.choice([0.001, 0.01, 0.1]) * random.standard_normal((length, channels))
    own = 0.1 * np.sin(2 * np.pi * low * (1.5 + 0.2 * np.arange(channels)) * time[:, None])
    return np.clip((common[:, None] + own + noise) * random.choice([0.05, 0.5, 1]), -0.99, 0.99)


class Bench:
    """A directory with a clip in it, and programs that make files of it."""

    def __init__(self, directory, seed):
        self.directory, self.random, self.seed = Path(directory), Random(seed), seed

    def clip(self, rates=RATES, most_channels=8, longest=2.0, bits=16):
        """Writes in.wav; few clips are very short. Sets `rate`, `channels`."""
        self.rate = self.random.choice(rates)
        self.channels = self.random.choice([n for n in (1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8) if n <= most_channels])
        length = self.random.choice([1, 100, 1000]) if self.random.random() < 0.06 else int(self.rate * self.random.uniform(0.1, longest if self.random.random() < 0.25 else longest / 4))
        length = min(length, 2**16)
        self.samples = speechlike(self.rate, length, self.channels, self.seed)
        form = format_chunk(f"s{bits}", self.rate, self.channels, self.channels > 2)
        self.write("in.wav", wav(form, pcm(self.samples, f"s{bits}")))

    def run(self, *command, given=None, alike=None):
        """@returns what the program writes; `alike`: exit statuses that are none of a failure"""
        done = subprocess.run(
            ["nice", "-n", "10", *map(str, command)], cwd=self.directory, input=given, capture_output=True,
            stdin=None if given is not None else subprocess.DEVNULL,
        ) if given is None else subprocess.run(["nice", "-n", "10", *map(str, command)], cwd=self.directory, input=given, capture_output=True)
        if done.returncode and done.returncode not in (alike or ()):
            raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr[-300:].decode(errors='replace')}")
        return done.stdout

    def ffmpeg(self, *arguments, given=None):
        return self.run("ffmpeg", "-v", "error", "-nostdin" if given is None else "-hide_banner", "-y", "-threads", 1, *arguments, given=given)

    def some(self, *options):
        """One of several options, each a list of arguments."""
        return self.random.choice(options)

    def maybe(self, *arguments, share=0.4):
        return list(arguments) if self.random.random() < share else []

    def read(self, name):
        return (self.directory / name).read_bytes()

    def write(self, name, data):
        (self.directory / name).write_bytes(data)
        return name

    def cuts(self, name, suffix, muxer=(), share=0.5):
        """The file as it is, mostly also a part of it or several behind one another, made without decoding."""
        data = self.read(name)
        yield "", data
        seconds = len(self.samples) / self.rate
        if self.random.random() > share or seconds < 0.2:
            return
        start, length = self.random.uniform(0, seconds / 2), self.random.uniform(0.05, seconds / 2)
        kind = self.random.choice(["begin", "end", "both", "after", "concat"])
        if kind == "concat":
            self.write("list.txt", f"file {name}\nfile {name}\n".encode())
            self.ffmpeg("-f", "concat", "-safe", 0, "-i", "list.txt", "-c", "copy", *muxer, f"cut{suffix}")
        else:
            before = {"begin": ["-ss", f"{start:.3f}"], "both": ["-ss", f"{start:.3f}", "-t", f"{length:.3f}"]}.get(kind, [])
            after = {"end": ["-t", f"{length:.3f}"], "after": ["-ss", f"{start:.3f}"]}.get(kind, [])
            self.ffmpeg(*before, "-i", name, *after, "-c", "copy", *muxer, f"cut{suffix}")
        yield f"-copy_{kind}", self.read(f"cut{suffix}")


# WAV


def wav_files(bench):
    kind = bench.random.choice(["ffmpeg", "ffmpeg", "sox", "soundfile", "hand", "hand", "hand"])
    yield from {"ffmpeg": wav_ffmpeg, "sox": wav_sox, "soundfile": wav_soundfile, "hand": wav_by_hand}[kind](bench)


def wav_ffmpeg(bench):
    bench.clip()
    codec = bench.random.choice("pcm_u8 pcm_s16le pcm_s16le pcm_s24le pcm_s32le pcm_f32le pcm_f64le pcm_mulaw pcm_alaw adpcm_ms adpcm_ima_wav".split())
    options = [
        *bench.some([], ["-rf64", "always"], ["-rf64", "auto"]), *bench.maybe("-write_bext", 1), *bench.maybe("-metadata", "title=a title", "-metadata", "artist=x"),
        *bench.maybe("-write_peak", "on", share=0.2), *bench.maybe("-fflags", "+bitexact"),
    ]
    channels = ["-ac", min(2, bench.channels)] if codec.startswith("adpcm") else []
    label = f"ffmpeg-{codec}-{'rf64' if 'always' in options else 'riff'}"
    if bench.random.random() < 0.2:
        yield f"{label}-pipe", ".wav", bench.ffmpeg("-i", "in.wav", *channels, "-c:a", codec, *options, "-f", "wav", "-")
        return
    bench.ffmpeg("-i", "in.wav", *channels, "-c:a", codec, *options, "out.wav")
    for cut, data in bench.cuts("out.wav", ".wav"):
        yield label + cut, ".wav", data
    if bench.random.random() < 0.2:
        yield label + "-w64", ".w64", bench.ffmpeg("-i", "in.wav", *channels, "-c:a", codec, "-f", "w64", "-")


def wav_sox(bench):
    bench.clip()
    form = bench.some(
        ["-b", "8"], ["-b", "16"], ["-b", "24"], ["-b", "32"], ["-e", "float", "-b", "32"], ["-e", "float", "-b", "64"],
        ["-e", "mu-law"], ["-e", "a-law"], ["-e", "ms-adpcm"], ["-e", "ima-adpcm"],
    )
    kind = bench.some("wav", "wav", "wavpcm") if "-e" not in form else "wav"
    label = "sox-" + "".join(form).replace("-", "") + "-" + kind
    if bench.random.random() < 0.3:
        yield f"{label}-pipe", ".wav", bench.run("sox", "-D", "-q", "in.wav", *form, "-t", kind, "-")
    else:
        bench.run("sox", "-D", "-q", "in.wav", *form, *bench.maybe("--comment", "a comment"), "-t", kind, "out.wav")
        yield label, ".wav", bench.read("out.wav")


def wav_soundfile(bench):
    bench.clip()
    form = bench.random.choice(["WAV", "WAVEX", "RF64", "W64"])
    subtype = bench.random.choice("PCM_U8 PCM_16 PCM_24 PCM_32 FLOAT DOUBLE ULAW ALAW".split())
    path = bench.directory / "out.wav"
    with soundfile.SoundFile(path, "w", bench.rate, bench.channels, subtype, format=form) as file:
        for field in bench.random.sample(["title", "artist", "comment", "date"], 2):
            setattr(file, field, "words")
        file.write(bench.samples)
    yield f"libsndfile-{form}-{subtype}", ".w64" if form == "W64" else ".wav", path.read_bytes()


def wav_by_hand(bench):
    bench.clip()
    random = bench.random
    encoding = random.choice(["u8", "s16", "s16", "s24", "s32", "f32", "f64"])
    data = pcm(bench.samples, encoding)
    bits = int(encoding[1:])
    valid = random.choice([None, bits - 4 if bits > 8 else None]) if encoding[0] != "f" else None
    oddity = random.choice(["", "", "align0", "align1", "alignbits", "byterate0", "fmt18", "fmt20", "fmt40"])
    options = {
        "align0": {"align": 0}, "align1": {"align": bits // 8}, "alignbits": {"align": bits}, "byterate0": {"byte_rate": 0},
        "fmt18": {"extra": bytes(2)}, "fmt20": {"extra": bytes(4)}, "fmt40": {"extra": bytes(24)},
    }.get(oddity, {})
    extensible = random.random() < 0.4 and "extra" not in options
    form = format_chunk(encoding, bench.rate, bench.channels, extensible, valid if extensible else None, **options)
    chunks = [
        ("LIST", info_list((b"INAM", b"name"), (b"ISFT", b"Lavf"))), ("bext", bext()), ("JUNK", chunk(b"JUNK", bytes(random.choice([28, 92, 4000])))), ("PAD", chunk(b"PAD ", bytes(random.randrange(3000)))),
        ("fact", chunk(b"fact", struct.pack("<I", len(bench.samples)))), ("cue", chunk(b"cue ", struct.pack("<IIIIIII", 1, 1, 0, 0x61746164, 0, 0, 10))),
        ("id3", chunk(b"id3 ", id3v2())), ("ID3", chunk(b"ID3 ", id3v2(3))), ("smpl", chunk(b"smpl", bytes(36))), ("iXML", chunk(b"iXML", b"<BWFXML/>")), ("axml", chunk(b"axml", b"<a/>" * 9)),
        ("odd", chunk(b"note", b"x" * 7)), ("inst", chunk(b"inst", bytes(7))), ("PEAK", chunk(b"PEAK", struct.pack("<II", 1, 0) + bytes(8 * bench.channels))),
        ("cart", chunk(b"cart", bytes(2048))), ("afsp", chunk(b"afsp", b"AFspdate: x\0")), ("MD5", chunk(b"MD5 ", bytes(16))), ("levl", chunk(b"levl", bytes(120))),
        ("FLLR", chunk(b"FLLR", bytes(4044))), ("_PMX", chunk(b"_PMX", b"<x:xmpmeta/>")), ("DISP", chunk(b"DISP", b"\1\0\0\0name\0")), ("acid", chunk(b"acid", bytes(24))),
    ]
    front, behind = random.sample(chunks, random.choice([0, 0, 1, 2, 3])), random.sample(chunks, random.choice([0, 0, 1, 2]))
    label = "-".join(["hand", encoding + (f"in{valid}" if extensible and valid else ""), "ext" if extensible else "plain", oddity, "+".join(n for n, _ in front), "data", "+".join(n for n, _ in behind)])
    front, behind = [data for _, data in front], [data for _, data in behind]
    yield label, ".wav", wav(form, data, front, behind, pad=random.random() < 0.9 or bool(behind))
    kind = random.choice(["open0", "open1", "open2", "rf64", "bw64", "riff0", "riffodd", "fourbytes", "part", "rifx", "twice", "twodata", "cutoff", "ff", "trailing"])
    label = f"hand-{encoding}-{kind}"
    plain = format_chunk(encoding, bench.rate, bench.channels, extensible)
    if kind.startswith("open"):
        size, riff = {"open0": (0, 0), "open1": (0x7FFFF000, 0x7FFFF024), "open2": (0xFFFFFFFF, 0xFFFFFFFF)}[kind]
        yield label, ".wav", wav(plain, data, size=size, riff=riff, pad=False)
    elif kind in ("rf64", "bw64"):
        yield label, ".wav", rf64(plain, data, kind.upper().encode(), behind, random.choice([0, len(bench.samples)]))
    elif kind in ("riff0", "riffodd"):
        yield label, ".wav", wav(plain, data, front, behind, riff=0 if kind == "riff0" else len(data) + random.randrange(1000))
    elif kind == "fourbytes":
        four = (bench.samples * (2**23 - 1)).round().astype("<i4")
        high = random.random() < 0.5
        form = format_chunk("s24", bench.rate, bench.channels, random.random() < 0.5, align=4 * bench.channels)
        yield f"{label}-{'high' if high else 'low'}", ".wav", wav(form, (four << 8 if high else four).tobytes())
    elif kind == "part":
        yield label, ".wav", wav(plain, data + b"\1" * random.randrange(1, max(2, bits // 8 * bench.channels)), pad=False)
    elif kind == "rifx":
        yield label, ".wav", b"RIFX" + wav(plain, data)[4:]
    elif kind == "twice":
        yield f"{label}-two_recordings", ".wav", wav(plain, data) * 2
    elif kind == "twodata":
        yield f"{label}-two_recordings", ".wav", wav(plain, data, behind=[chunk(b"data", data)])
    elif kind == "cutoff":
        whole = wav(plain, data)
        yield label, ".wav", whole[: random.randrange(1, len(whole))]
    elif kind == "ff":
        yield label, ".wav", wav(plain, data, [chunk(b"JUNK", b"\xff" * 500)], [chunk(b"junk", b"\xff" * 300)])
    else:
        yield label, ".wav", wav(plain, data) + random.choice([bytes(1), bytes(100), b"\r\n", b"junk", b"x" * 50])


# FLAC


def flac_files(bench):
    kind = bench.random.choice(["flac", "flac", "ffmpeg", "ffmpeg", "libsndfile", "sox", "ogg"])
    if kind == "ogg":
        yield from ogg_flac(bench)
    else:
        yield from {"flac": flac_flac, "ffmpeg": flac_ffmpeg, "libsndfile": flac_soundfile, "sox": flac_sox}[kind](bench)


def flac_options(bench):
    bench.write("picture.png", PNG)
    return [
        f"-{bench.random.randrange(9)}", *bench.some([], [], ["-b", "192"], ["-b", "576"], ["-b", "1152"], ["-b", "4608"], ["-b", "1000", "--lax"], ["-b", "16384", "--lax"], ["-b", "17"]),
        *bench.maybe("--no-seektable"), *bench.maybe("-S", "10x"), *bench.maybe("--no-padding"), *bench.maybe("-P", 70000, share=0.1), *bench.maybe("--picture=picture.png", share=0.2),
        *bench.maybe("-T", "TITLE=a title"), *bench.maybe("-l", bench.random.choice([0, 4, 12, 32]), "--lax", share=0.3), *bench.maybe("--no-mid-side", share=0.1), *bench.maybe("-e", share=0.1), *bench.maybe("-p", share=0.1),
        *bench.maybe("--replay-gain", share=0.1), *bench.maybe("-r", "0,8", "--lax", share=0.1),
    ]


def flac_flac(bench):
    bits = bench.random.choice([8, 16, 16, 24])
    bench.clip()
    form = "u8" if bits == 8 else f"s{bits}"
    valid = bench.random.choice([None, bits - 4]) if bits > 8 else None
    samples = bench.samples
    if valid:  # with bits that are wasted
        samples = np.floor(samples * 2 ** (valid - 1)) / 2 ** (valid - 1) * 2 ** (bits - 1) / (2 ** (bits - 1) - 1)
    bench.write("in.wav", wav(format_chunk(form, bench.rate, bench.channels, bench.channels > 2 or bool(valid), valid), pcm(samples, form)))
    options = flac_options(bench)
    if "--replay-gain" in options and bench.channels > 2:
        options.remove("--replay-gain")
    if bench.random.random() < 0.15:
        yield f"flac-{bits}-pipe", ".flac", bench.run("flac", "-s", "--lax", *options, "-", "-o", "-", given=bench.read("in.wav"))
        return
    bench.run("flac", "-f", "-s", "--lax", *options, "in.wav", "-o", "out.flac")
    label = f"flac-{valid or bits}in{bits}"
    for cut, data in bench.cuts("out.flac", ".flac"):
        yield label + cut, ".flac", data
    if bench.random.random() < 0.3:
        bench.run("metaflac", *bench.some(["--remove-all"], ["--remove-all-tags"], ["--add-padding=5000"], ["--set-tag=A=b"], ["--remove", "--block-type=SEEKTABLE,PADDING"], ["--dont-use-padding", "--set-tag=LYRICS=" + "x" * 9000]), "out.flac")
        yield f"{label}-metaflac", ".flac", bench.read("out.flac")
    elif bench.random.random() < 0.3:
        yield f"{label}-two_recordings", ".flac", bench.read("out.flac") * 2
    elif bench.random.random() < 0.3:
        whole = bench.read("out.flac")
        yield f"{label}-cutoff", ".flac", whole[: bench.random.randrange(1, len(whole))]
    elif len(bench.samples) > 1000 and bench.random.random() < 0.3:
        bench.run("flac", "-f", "-s", f"--skip={bench.random.randrange(500)}", f"--until=-{bench.random.randrange(400)}", "in.wav", "-o", "part.flac")
        yield f"{label}-skip", ".flac", bench.read("part.flac")
    elif bench.random.random() < 0.5:
        data = bytearray(bench.read("out.flac"))
        data[26:42] = bytes(16)
        data[21] &= 0xF0
        data[22:26] = bytes(4)
        yield f"{label}-nolength", ".flac", bytes(data)


def flac_ffmpeg(bench):
    bench.clip()
    form = bench.some(["-sample_fmt", "s16"], ["-sample_fmt", "s32"], ["-sample_fmt", "s32", "-bits_per_raw_sample", 24])
    options = [
        "-compression_level", bench.random.randrange(13), *bench.maybe("-frame_size", bench.random.choice([64, 500, 4096, 9999, 65535])), *bench.maybe("-lpc_type", bench.random.choice(["none", "fixed", "levinson", "cholesky"])),
        *bench.maybe("-ch_mode", bench.random.choice(["indep", "left_side", "right_side", "mid_side"])), *bench.maybe("-exact_rice_parameters", 1, share=0.1), *bench.maybe("-strict", -2, share=0.2),
    ]
    label = f"ffmpeg-{''.join(map(str, form)).replace('-', '')}"
    if bench.random.random() < 0.2:
        yield f"{label}-pipe", ".flac", bench.ffmpeg("-i", "in.wav", *form, *options, "-f", "flac", "-")
        return
    bench.ffmpeg("-i", "in.wav", *form, *options, "-write_header", 1, "out.flac")
    for cut, data in bench.cuts("out.flac", ".flac"):
        yield label + cut, ".flac", data


def flac_soundfile(bench):
    bench.clip()
    subtype = bench.random.choice(["PCM_S8", "PCM_16", "PCM_24"])
    path = bench.directory / "out.flac"
    soundfile.write(path, bench.samples, bench.rate, subtype, format="FLAC", compression_level=bench.random.random())
    yield f"libsndfile-{subtype}", ".flac", path.read_bytes()


def flac_sox(bench):
    bench.clip()
    bits = bench.random.choice([8, 16, 24])
    yield f"sox-{bits}", ".flac", bench.run("sox", "-D", "-q", "in.wav", "-b", bits, "-C", bench.random.randrange(9), "-t", "flac", "-")


def ogg_flac(bench):
    bench.clip(rates=[rate for rate in RATES if rate < 100000])
    if bench.random.random() < 0.5:
        options = [option for option in flac_options(bench) if option != "--replay-gain"]
        bench.run("flac", "-f", "-s", "--lax", "--ogg", "--serial-number=7", *options, "in.wav", "-o", "out.oga")
        label = "flac-ogg"
    else:
        bench.ffmpeg("-i", "in.wav", "-c:a", "flac", "-compression_level", bench.random.randrange(13), *bench.maybe("-page_duration", 100000), "-fflags", "+bitexact", "out.oga")
        label = "ffmpeg-oggflac"
    for cut, data in bench.cuts("out.oga", ".oga"):
        yield label + cut, ".oga", data
    yield from ogg_forms(bench, label, "out.oga", ".oga", 2)


# MP3


def mp3_files(bench):
    kind = bench.random.choice(["lame", "lame", "lame", "ffmpeg", "sox"])
    yield from {"lame": mp3_lame, "ffmpeg": mp3_ffmpeg, "sox": mp3_sox}[kind](bench)


def mp3_lame(bench):
    bench.clip(rates=(8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000), most_channels=2)
    random = bench.random
    rate = random.choice([bench.rate, bench.rate, 8000, 16000, 24000, 32000, 44100, 48000])
    low = rate < 32000
    mode = bench.some(
        ["-V", random.randrange(10)], ["-V", random.randrange(10), "--vbr-old"], ["-b", random.choice((8, 16, 32, 64, 160) if low else (32, 64, 128, 192, 320)), "--cbr"], ["--abr", random.choice((24, 56) if low else (56, 100, 200))], ["--preset", random.choice(["medium", "standard"])],
    )
    free = random.random() < 0.05
    if free:
        mode = ["--freeformat", "-b", random.choice((24, 100) if low else (100, 200, 400))]
    options = [
        "--resample", f"{rate / 1000:g}", *mode, *bench.maybe("-m", random.choice(["s", "j", "f", "d", "m"]) if bench.channels > 1 else "m"), *bench.maybe("-t", share=0.15), *bench.maybe("-p", share=0.2), *bench.maybe("--nores", share=0.2),
        *bench.maybe("--strictly-enforce-ISO", share=0.2), *bench.maybe("-c", share=0.1), *bench.maybe("-F", share=0.1), *bench.some([], [], ["--tt", "title", "--id3v1-only"], ["--tt", "title", "--id3v2-only"], ["--add-id3v2", "--pad-id3v2-size", random.randrange(5000), "--tt", "t"], ["--tt", "a title longer than thirty characters", "--ta", "x"]),
    ]
    label = "lame-" + "".join(map(str, mode)).replace("-", "") + f"-{rate}" + ("-notag" if "-t" in options else "") + ("-free" if free else "")
    if random.random() < 0.15:
        yield f"{label}-pipe", ".mp3", bench.run("lame", "--quiet", *options, "-", "-", given=bench.read("in.wav"))
        return
    bench.run("lame", "--quiet", *options, "in.wav", "out.mp3")
    yield from mp3_forms(bench, label)


def mp3_ffmpeg(bench):
    bench.clip(rates=(8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000), most_channels=2)
    random = bench.random
    options = [
        *bench.some(["-q:a", random.randrange(10)], ["-b:a", random.choice(["32k", "64k", "128k"])], ["-b:a", "80k", "-abr", 1]), *bench.maybe("-joint_stereo", 0), *bench.maybe("-reservoir", 0), *bench.maybe("-write_xing", 0, share=0.2),
        *bench.some([], ["-id3v2_version", 3], ["-id3v2_version", 0]), *bench.maybe("-write_id3v1", 1), *bench.maybe("-metadata", "title=x"), *bench.maybe("-fflags", "+bitexact"),
    ]
    label = f"ffmpeg-{bench.rate}" + ("-notag" if "-write_xing" in options else "")
    if random.random() < 0.2:
        yield f"{label}-pipe", ".mp3", bench.ffmpeg("-i", "in.wav", *options, "-f", "mp3", "-")
        return
    bench.ffmpeg("-i", "in.wav", *options, "out.mp3")
    yield from mp3_forms(bench, label)


def mp3_sox(bench):
    bench.clip(rates=(16000, 22050, 44100, 48000), most_channels=2)
    bench.run("sox", "-D", "-q", "in.wav", "-C", bench.some(64, 96.2, -4.2, -2.01), "out.mp3")
    yield from mp3_forms(bench, "sox")


def mp3_forms(bench, label):
    """The file, cut and joined, tagged and with other counts."""
    random, data = bench.random, bench.read("out.mp3")
    for cut, part in bench.cuts("out.mp3", ".mp3", share=0.6):
        yield label + cut, ".mp3", part
    kind = random.choice(["mp3splt", "cat", "counts+1", "counts0", "counts-1", "vbri", "frames", "cutoff", "lead", "junk", "mutagen", "id3v2", "none"])
    label = f"{label}-{kind}"
    counts = max(data.find(b"Xing", 0, 9000), data.find(b"Info", 0, 9000))
    if kind == "mp3splt" and len(bench.samples) > bench.rate:
        bench.run("mp3splt", "-q", "-f", "-o", "part@n", "out.mp3", "0.0.0", "0.0.50", "EOF", alike=(1,))
        for path in sorted(bench.directory.glob("part*.mp3")):
            yield label, ".mp3", path.read_bytes()
    elif kind == "cat":
        yield label, ".mp3", data * random.choice([2, 3])
    elif kind.startswith("counts") and counts > 0:
        frames = struct.unpack(">I", data[counts + 8 : counts + 12])[0]
        count = {"counts+1": frames + 1, "counts0": 0, "counts-1": max(1, frames - 1)}[kind]
        yield label, ".mp3", data[: counts + 8] + struct.pack(">I", count) + data[counts + 12 :]
    elif kind == "vbri" and counts > 0:
        frames = struct.unpack(">I", data[counts + 8 : counts + 12])[0]
        begin = data.rfind(b"\xff", 0, counts - 8)
        begin = max(at for at in range(counts) if data[at] == 0xFF and data[at + 1] & 0xE0 == 0xE0 and at <= counts - 13)
        blank = data[counts : counts + 120]
        vbri = b"VBRI" + struct.pack(">HHHII", 1, 576, 75, len(data) - begin, frames) + struct.pack(">HHHH", 0, 1, 2, 1)
        if len(blank) == 120 and begin + 36 + len(vbri) < counts + 120:
            changed = bytearray(data)
            changed[counts : counts + 120] = bytes(120)
            changed[begin + 36 : begin + 36 + len(vbri)] = vbri
            yield label, ".mp3", bytes(changed)
    elif kind == "cutoff":
        yield label, ".mp3", data[: random.randrange(1, len(data))]
    elif kind == "lead":
        yield label, ".mp3", data[random.randrange(1, max(2, len(data) // 2)) :]
    elif kind == "junk":
        yield label, ".mp3", data + random.choice([b"\r\n", b"x" * 30, bytes(500), b"\xff" * 9])
    elif kind == "mutagen":
        tag_mp3(bench, "out.mp3")
        yield label, ".mp3", bench.read("out.mp3")
    elif kind == "id3v2":
        bench.run("id3v2", *bench.some(["-1", "-t", "x"], ["-2", "-t", "x", "-a", "y"], ["-t", "x"], ["-s"], ["-C"]), "out.mp3")
        yield label, ".mp3", bench.read("out.mp3")


def tag_mp3(bench, name):
    path, random = bench.directory / name, bench.random
    tags = mutagen.id3.ID3()
    tags.add(mutagen.id3.TIT2(encoding=random.choice([0, 1, 3]), text="a title \u00e9"))
    if random.random() < 0.5:
        tags.add(mutagen.id3.APIC(encoding=0, mime="image/png", type=3, desc="", data=PNG * random.choice([1, 900])))
    if random.random() < 0.3:
        tags.add(mutagen.id3.PRIV(owner="x", data=b"\xff\xfb\x90\x64" * 200))
    tags.save(path, v1=random.choice([0, 1, 2]), v2_version=random.choice([3, 4]), padding=lambda _: random.choice([0, 10, 3000]))
    if random.random() < 0.4:
        apes = mutagen.apev2.APEv2()
        apes["Title"] = "x"
        apes.save(path)


# Ogg: Opus and Vorbis


def opus_files(bench):
    random = bench.random
    kind = random.choice(["opusenc", "opusenc", "ffmpeg"])
    if kind == "opusenc":
        bench.clip()
        bench.write("picture.png", PNG)
        options = [
            "--framesize", random.choice([2.5, 5, 10, 20, 40, 60]), *bench.maybe("--bitrate", random.choice([6, 16, 32, 64, 128]) * bench.channels), *bench.some([], ["--hard-cbr"], ["--cvbr"]), *bench.some([], ["--speech"], ["--music"]), "--comp", random.randrange(4),
            *bench.maybe("--max-delay", random.choice([0, 20, 100, 300])), *bench.maybe("--downmix-mono", share=0.1), *bench.maybe("--picture", "picture.png", share=0.2), *bench.maybe("--padding", 70000, share=0.1), *bench.maybe("--title", "x"), *bench.maybe("--expect-loss", 10, share=0.1),
        ]
        bench.run("opusenc", "--quiet", "--serial", 7, *options, "in.wav", "out.opus")
        label = f"opusenc-{options[1]}ms-{bench.channels}ch"
    else:
        bench.clip(rates=(8000, 12000, 16000, 24000, 48000))
        family = random.choice([-1, -1, 0, 1, 255]) if bench.channels <= 2 else random.choice([-1, 1, 255])
        options = [
            "-frame_duration", random.choice([2.5, 5, 10, 20, 40, 60, 80, 100, 120]), "-vbr", random.choice(["off", "on", "constrained"]), "-application", random.choice(["voip", "audio"]), "-mapping_family", family, "-compression_level", random.randrange(4),
            *bench.maybe("-b:a", random.choice(["8k", "24k", "96k"])), *bench.maybe("-page_duration", random.choice([1, 100000])), *bench.maybe("-fec", 1, "-packet_loss", 20, share=0.1),
        ]
        bench.ffmpeg("-i", "in.wav", "-c:a", "libopus", *options, "-fflags", "+bitexact", "out.opus")
        label = f"ffmpeg-{options[1]}ms-{bench.channels}ch-family{family}"
    for cut, data in bench.cuts("out.opus", ".opus", share=0.6):
        yield label + cut, ".opus", data
    yield from ogg_forms(bench, label, "out.opus", ".opus", 2)


def vorbis_files(bench):
    random = bench.random
    if random.random() < 0.6:
        bench.clip(rates=[rate for rate in RATES if rate < 100000])
        options = [
            *bench.some(["-q", random.randrange(-1, 11)], ["-q", random.uniform(-1, 10)], ["-b", 64 * bench.channels, "--managed"] if bench.rate >= 32000 else ["-q", 3]), *bench.maybe("-k", share=0.12), *bench.maybe("-t", "title"),
            *bench.maybe("--resample", 16000, share=0.1), *bench.maybe("-c", "LYRICS=" + "x" * 70000, share=0.1),
        ]
        bench.run("oggenc", "-Q", "-s", 7, *options, "in.wav", "-o", "out.ogg")
        label = "oggenc" + ("-skeleton" if "-k" in options else "")
    else:
        bench.clip(rates=(8000, 16000, 22050, 32000, 44100, 48000), most_channels=8)
        codec = bench.some(["libvorbis", "-q:a", random.randrange(-1, 10)], ["libvorbis"], ["vorbis", "-strict", -2, "-ac", 2])
        bench.ffmpeg("-i", "in.wav", "-c:a", *codec, *bench.maybe("-page_duration", random.choice([1, 100000])), "-fflags", "+bitexact", "out.ogg")
        label = f"ffmpeg-{codec[0]}"
    for cut, data in bench.cuts("out.ogg", ".ogg", share=0.6):
        yield label + cut, ".ogg", data
    yield from ogg_forms(bench, label, "out.ogg", ".ogg", 3)


def ogg_forms(bench, label, name, suffix, headers):
    """What is done to Ogg pages by other programs."""
    random, data = bench.random, bench.read(name)
    found = pages(data)
    head = 2 if suffix == ".opus" else next(i for i, page in enumerate(found) if struct.unpack_from("<q", page, 6)[0] > 0)
    kind = random.choice(["gaps", "nomark", "gain", "preskip", "chained", "chained", "multiplexed", "station", "moved", "cutoff", "lostpage", "serial", "none", "cutpages"])
    label = f"{label}-{kind}"
    if kind == "gaps":
        yield label, suffix, b"".join(page + b"\xa5" * (-len(page) % 1024) for page in found)
    elif kind == "nomark":
        yield label, suffix, b"".join(unmarked(found))
    elif kind in ("gain", "preskip") and suffix == ".opus":
        at = 27 + found[0][26] + (16 if kind == "gain" else 10)
        value = struct.pack("<h", random.randrange(-3000, 1500)) if kind == "gain" else struct.pack("<H", random.choice([0, 312, 960, 3840, 5000]))
        yield label, suffix, b"".join([page_with(found[0], at, value), *found[1:]])
    elif kind == "chained":
        again = with_serial(found, 8) if random.random() < 0.8 else found
        yield label, suffix, b"".join([*found, *again])
    elif kind == "multiplexed":
        other = with_serial(found, 8)
        both = [page for pair in zip(found, other, strict=True) for page in pair]
        yield f"{label}-two_recordings", suffix, b"".join(both)
    elif kind == "station" and len(found) > head + 2:
        yield label, suffix, b"".join(found[:head] + found[random.randrange(head + 1, len(found)) :])
    elif kind == "moved":
        yield label, suffix, b"".join(moved(found, random.choice([1000, 48000, 10**7]), head))
    elif kind == "cutoff":
        yield label, suffix, data[: random.randrange(1, len(data))]
    elif kind == "cutpages" and len(found) > head + 2:
        yield label, suffix, b"".join(found[: random.randrange(head + 1, len(found) - 1)])
    elif kind == "lostpage" and len(found) > head + 2:
        del found[random.randrange(head, len(found) - 1)]
        yield label, suffix, b"".join(found)
    elif kind == "serial":
        yield label, suffix, b"".join(with_serial(found, random.choice([0, 0xFFFFFFFF])))


# WebM


def webm_files(bench):
    random = bench.random
    bench.clip(rates=(16000, 48000))
    muxer = random.choice(["webm", "matroska"])
    family = ["-mapping_family", 1] if bench.channels > 2 else []
    options = [
        "-frame_duration", random.choice([2.5, 10, 20, 60]), *bench.maybe("-live", 1), *bench.maybe("-cluster_time_limit", random.choice([100, 500, 1000])), *bench.maybe("-reserve_index_space", 500), *bench.maybe("-cues_to_front", 1, share=0.2), *bench.maybe("-write_crc32", 0),
        *bench.maybe("-dash", 1, share=0.1) , *bench.maybe("-metadata", "title=x"), *bench.maybe("-cluster_size_limit", 2000),
    ]
    sound = ["-i", "in.wav", "-c:a", "libopus", "-compression_level", 2, *family]
    label = f"ffmpeg-{muxer}" + ("-live" if "-live" in options else "")
    if random.random() < 0.3:
        yield f"{label}-pipe", ".webm", bench.ffmpeg(*sound, *options, "-f", muxer, "-")
        return
    picture = random.random() < 0.15
    inputs = ["-f", "lavfi", "-i", "color=size=16x16:duration=1:rate=5"] if picture else []
    video = ["-map", "0:a", "-map", "1:v", "-c:v", "libvpx"] if picture else []
    bench.ffmpeg("-i", "in.wav", *inputs, *video, *sound[2:], *options, "-f", muxer, "out.webm")
    label += "-picture" if picture else ""
    for cut, data in bench.cuts("out.webm", ".webm", ["-f", muxer]):
        yield label + cut, ".webm", data
    data = bench.read("out.webm")
    kind = random.choice(["mkvmerge", "cutoff", "twice", "ogg", "ogg", "none"])
    if kind == "mkvmerge" and not picture:
        bench.run("mkvmerge", "-q", *bench.maybe("--webm"), "-o", "merged.mka", *bench.maybe("--cues", "0:none"), *bench.maybe("--disable-lacing"), "out.webm", alike=(1,))
        yield f"{label}-mkvmerge", ".mka", bench.read("merged.mka")
    elif kind == "ogg" and not picture:
        yield f"{label}-copy_ogg", ".opus", bench.ffmpeg("-i", "out.webm", "-c", "copy", "-fflags", "+bitexact", "-f", "opus", "-")
    elif kind == "cutoff":
        yield f"{label}-cutoff", ".webm", data[: random.randrange(1, len(data))]
    elif kind == "twice":
        yield f"{label}-two_recordings", ".webm", data * 2


def tagged(bench, label, suffix, data):
    """A file with tags of any kind in front or behind."""
    random = bench.random
    front = random.choice([b"", id3v2(), id3v2(3), id3v22(), id3v2(4, bytes(4096)), id3v2(4, bytes(100), True), ape(), id3v2() + bytes(100), id3v2() + id3v2(3), id3v2(4, b"\xff\xfb\x90\x64" * 300)])
    behind = random.choice([b"", ID3V1, id3v2(), ape(), ape() + ID3V1, ape(False), ape(False, 1000), lyrics3() + ID3V1, lyrics3(1) + ID3V1, b"TAG+" + bytes(223) + ID3V1, bytes(3000), id3v2(4, bytes(100), True), b"\0", ID3V1 + ID3V1, lyrics3()])
    if front or behind:
        yield f"{label}-tags", suffix, front + data + behind


KINDS = (wav_files, flac_files, mp3_files, mp3_files, opus_files, opus_files, vorbis_files, webm_files)


def make(directory, seed):
    """Files of one clip, as (label, suffix, bytes)."""
    bench = Bench(directory, seed)
    kind = bench.random.choice(KINDS)
    made = []
    try:
        for label, suffix, data in kind(bench):
            made.append((f"{kind.__name__.split('_')[0]}-{label}", suffix, data))
    except RuntimeError as error:  # options that a program does not take together
        made.append((f"none: {error}", "", b""))
    for label, suffix, data in list(made):
        if suffix and data and bench.random.random() < 0.45:
            made.extend(tagged(bench, label, suffix, data))
    return made


def generate(directory, count, seed):
    """Writes at least `count` files into a directory and says what could not be made. @returns their paths, in order"""
    paths, left = [], []

    def batch(number):
        with tempfile.TemporaryDirectory() as bench:
            return make(bench, seed * 1_000_000 + number)

    with ThreadPoolExecutor(2) as pool:
        number = 0
        while len(paths) < count:
            for made in pool.map(batch, range(number, number + 40)):
                for i, (label, suffix, data) in enumerate(made):
                    if not suffix:
                        left.append(label)
                        continue
                    path = Path(directory) / f"{number:05}{chr(97 + i)}-{label.replace('/', '_').replace(' ', '')[:150]}{suffix}"
                    path.write_bytes(data)
                    paths.append(path)
                number += 1
    return paths, left
