"""Writes short synthetic clips in every format that is read, and what libsndfile reads from them:
`packages/wav2vec2/test/audio/`.

    .venv/bin/pip install soundfile==0.14.0 av==18.1.0
    python reference/audio_clips.py

    *.flac, *.wav, *.mp3, *.opus, *.ogg   chirps, tones and noise, less than a second each; the encoders are those of
                                          libsndfile (soundfile) and FFmpeg's, LAME and libopus (PyAV)
    clips.json, in `test/golden`          for each: sample rate, channels, samples a channel and, of libsndfile's
                                          float32 samples [samples][channels], the SHA-256 where the format is lossless
                                          and every 101st sample of the channels' average where it is lossy
"""

import hashlib
import json
from pathlib import Path

import av
import numpy as np
import soundfile

CLIPS = Path(__file__).parent.parent / "packages" / "wav2vec2" / "test" / "audio"
STEP = 101


def speechlike(rate, seconds, channels, seed):
    """Chirps under an envelope, correlated between the channels, with a little noise: [samples, channels] in (-1, 1)."""
    random = np.random.default_rng(seed)
    time = np.arange(int(rate * seconds)) / rate
    common = 0.5 * np.sin(2 * np.pi * (200 + 900 * time) * time) * (0.6 + 0.4 * np.sin(2 * np.pi * 5 * time))
    own = [0.1 * np.sin(2 * np.pi * (500 + 150 * c) * time) + 0.01 * random.standard_normal(len(time)) for c in range(channels)]
    return np.stack([common + part for part in own], axis=1)


def integers(samples, bits, wasted=0):
    """As integers of 32 bits of which the upper `bits` count."""
    scaled = np.round(samples * 2 ** (bits - 1 - wasted)).astype(np.int64)
    return (scaled << (32 - bits + wasted)).astype(np.int32)


def lossless(name, rate, samples, bits, subtype, level=None, wasted=0):
    options = {} if level is None else {"compression_level": level}
    soundfile.write(CLIPS / name, integers(samples, bits, wasted), rate, subtype=subtype, **options)


def encode(name, codec, rate, samples, layout, options=(), muxer=None, bit_rate=None):
    planar = {"libmp3lame": "s16p", "libopus": "flt", "flac": "s16"}[codec]
    container = av.open(str(CLIPS / name), "w", format=muxer, options=dict(muxer_options.get(name, {})))
    stream = container.add_stream(codec, rate=rate)
    stream.codec_context.layout = layout
    stream.codec_context.format = planar
    stream.codec_context.options = dict(options)
    if bit_rate:
        stream.codec_context.bit_rate = bit_rate
    pcm = integers(samples, 16) >> 16
    frame = av.AudioFrame.from_ndarray(pcm.astype(np.int16).reshape(1, -1), format="s16", layout=layout)
    frame.sample_rate = rate
    resampler = av.AudioResampler(format=planar, layout=layout, rate=rate)
    fifo = av.AudioFifo()
    for part in resampler.resample(frame) + resampler.resample(None):
        part.pts = None
        fifo.write(part)
    container.start_encoding()
    size = stream.codec_context.frame_size or 1024
    done = 0
    while fifo.samples:
        part = fifo.read(min(size, fifo.samples), partial=True)
        part.pts, done = done, done + part.samples
        container.mux(stream.encode(part))
    container.mux(stream.encode(None))
    container.close()


muxer_options = {
    "cbr-48k-no-xing.mp3": {"write_xing": "0", "id3v2_version": "0"},
    "id3-44k-stereo-vbr.mp3": {"id3v2_version": "4", "write_id3v1": "1"},
}


def main():
    CLIPS.mkdir(exist_ok=True)
    for path in CLIPS.iterdir():
        path.unlink()
    mono16, stereo48 = speechlike(16000, 0.4, 1, 1), speechlike(48000, 0.15, 2, 2)
    lossless("mono-16k-16bit-level0.flac", 16000, mono16, 16, "PCM_16", 0.0)
    lossless("mono-16k-16bit-level8.flac", 16000, mono16, 16, "PCM_16", 1.0)
    lossless("mono-8k-8bit.flac", 8000, speechlike(8000, 0.4, 1, 3), 8, "PCM_S8")
    lossless("stereo-48k-24bit.flac", 48000, stereo48, 24, "PCM_24")
    lossless("stereo-44k-16bit-wasted.flac", 44100, speechlike(44100, 0.2, 2, 4), 16, "PCM_16", 1.0, wasted=3)
    lossless("surround-48k-16bit.flac", 48000, speechlike(48000, 0.05, 6, 5), 16, "PCM_16")
    lossless("identical-16k-16bit.flac", 16000, np.repeat(mono16, 2, axis=1), 16, "PCM_16", 1.0)
    for mode in ("indep", "left_side", "right_side", "mid_side"):
        encode(f"ffmpeg-{mode}.flac", "flac", 22050, speechlike(22050, 0.2, 2, 6), "stereo", {"ch_mode": mode})
    lossless("stereo-48k-24bit.wav", 48000, stereo48[:2000], 24, "PCM_24")
    lossless("mono-16k-8bit.wav", 16000, mono16[:2000], 8, "PCM_U8")
    soundfile.write(CLIPS / "mono-44k-float.wav", speechlike(44100, 0.05, 1, 7).astype(np.float32), 44100, subtype="FLOAT")
    encode("mono-16k.mp3", "libmp3lame", 16000, mono16, "mono", bit_rate=32000)
    encode("id3-44k-stereo-vbr.mp3", "libmp3lame", 44100, speechlike(44100, 0.5, 2, 8), "stereo", {"flags": "+qscale", "global_quality": "590"})
    encode("cbr-48k-no-xing.mp3", "libmp3lame", 48000, speechlike(48000, 0.5, 1, 9), "mono", bit_rate=48000)
    encode("mono.opus", "libopus", 48000, speechlike(48000, 0.5, 1, 10), "mono", bit_rate=24000)
    encode("stereo.opus", "libopus", 48000, speechlike(48000, 0.51, 2, 11), "stereo", {"frame_duration": "60"}, bit_rate=32000)
    for name, rate, channels in (("mono-22k.ogg", 22050, 1), ("stereo-44k.ogg", 44100, 2)):
        soundfile.write(CLIPS / name, speechlike(rate, 0.503, channels, rate), rate, format="OGG", subtype="VORBIS", compression_level=0.8)
    encode("flac-16k.oga", "flac", 16000, mono16, "mono", muxer="ogg")

    mono16_flac = CLIPS / "mono-16k-16bit-level0.flac"
    clips = {}
    for path in sorted(CLIPS.iterdir()):
        # libsndfile refuses FFmpeg's Ogg FLAC; what went into it is known.
        source = mono16_flac if path.suffix == ".oga" else path
        samples, rate = soundfile.read(source, dtype="float32", always_2d=True)
        clip = {"sampleRate": rate, "channels": samples.shape[1], "samples": len(samples)}
        if path.suffix in (".flac", ".wav", ".oga"):
            clip["sha256"] = hashlib.sha256(samples.tobytes()).hexdigest()
        else:
            clip["average"] = [round(float(x), 5) for x in samples.mean(axis=1)[::STEP]]
        clips[path.name] = clip
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(clip)}" for name, clip in clips.items())
    (CLIPS.parent / "golden" / "clips.json").write_text("{\n" + lines + "\n}\n")


main()
