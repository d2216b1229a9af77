"""Forms of audio files that are written by hand: WAV in all its layouts, tags, Ogg pages."""

import struct

GUID = bytes.fromhex("000000001000800000aa00389b71")


def chunk(name, data, pad=True):
    return name + struct.pack("<I", len(data)) + data + (b"\0" if pad and len(data) & 1 else b"")


def pcm(samples, encoding):
    """Interleaved bytes of samples [samples, channels] in (-1, 1). `encoding`: u8, s16, s24, s32, f32 or f64."""
    if encoding in ("f32", "f64"):
        return samples.astype("<" + encoding.replace("32", "4").replace("64", "8")).tobytes()
    bits = int(encoding[1:])
    integers = (samples * (2 ** (bits - 1) - 1)).round().astype("<i8")
    if encoding == "u8":
        return (integers + 128).astype("u1").tobytes()
    if encoding == "s24":
        return integers.astype("<i4").reshape(-1, 1).view("u1")[:, :3].tobytes()
    return integers.astype(f"<i{bits // 8}").tobytes()


def format_chunk(encoding, rate, channels, extensible=False, valid=None, align=None, byte_rate=None, extra=None):
    """The body of "fmt ". `valid`: bits of a sample that count; `extra`: bytes behind the 16 of the plain form."""
    bits = int(encoding[1:])
    tag = 3 if encoding[0] == "f" else 1
    align = channels * bits // 8 if align is None else align
    byte_rate = rate * channels * bits // 8 if byte_rate is None else byte_rate
    plain = struct.pack("<HIIHH", channels, rate, byte_rate & 0xFFFFFFFF, align, bits)
    if not extensible:
        return struct.pack("<H", tag) + plain + (extra or b"")
    mask = (0, 4, 3, 7, 0x33, 0x37, 0x3F, 0x70F, 0x63F)[channels]
    return struct.pack("<H", 0xFFFE) + plain + struct.pack("<HHIH", 22, valid or bits, mask, tag) + GUID


def wav(form, data, front=(), behind=(), magic=b"RIFF", size=None, riff=None, pad=True):
    """`size` and `riff` in the place of the true sizes; `front` and `behind` are chunks."""
    body = b"WAVE" + b"".join(front) + chunk(b"fmt ", form)
    head = b"data" + struct.pack("<I", len(data) if size is None else size)
    body += head + data + (b"\0" if pad and len(data) & 1 else b"") + b"".join(behind)
    return magic + struct.pack("<I", len(body) if riff is None else riff) + body


def rf64(form, data, magic=b"RF64", behind=(), frames=0):
    """EBU Tech 3306: the sizes in "ds64", -1 in their places."""
    ds64 = lambda riff: chunk(b"ds64", struct.pack("<QQQI", riff, len(data), frames, 0))
    length = 4 + len(ds64(0)) + 8 + len(form) + 8 + len(data) + sum(map(len, behind))
    return wav(form, data, (ds64(length),), behind, magic, 0xFFFFFFFF, 0xFFFFFFFF)


def info_list(*pairs):
    return chunk(b"LIST", b"INFO" + b"".join(chunk(name, text + b"\0") for name, text in pairs))


def bext():
    return chunk(b"bext", b"description".ljust(256, b"\0") + b"x".ljust(32, b"\0") + bytes(32 + 10 + 8 + 8 + 2 + 64 + 190))


ID3V1 = b"TAG" + b"x" * 125


def id3v2(version=4, body=bytes(32), footer=False):
    size = len(body)
    sizes = bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127])
    rest = bytes([version, 0, 0x10 if footer else 0]) + sizes
    return b"ID3" + rest + body + (b"3DI" + rest if footer else b"")


def id3v22():
    text = b"\0title"
    return id3v2(2, b"TT2" + len(text).to_bytes(3, "big") + text + bytes(40))


def ape(header=True, version=2000):
    item = struct.pack("<II", 5, 0) + b"Title\0hello"
    mark = lambda flags: b"APETAGEX" + struct.pack("<IIII", version, len(item) + 32, 1, flags) + bytes(8)
    return (mark(0xA0000000) if header else b"") + item + mark(0x80000000 if header else 0)


def lyrics3(version=2):
    text = b"LYRICSBEGIN" + (b"IND0000200LYR00005hello" if version == 2 else b"hello " * 20)
    return text + (b"%06d" % len(text) + b"LYRICS200" if version == 2 else b"LYRICSEND")


def checksum(page):
    value = 0
    for byte in page:
        value = (value << 8 ^ CRC[value >> 24 ^ byte]) & 0xFFFFFFFF
    return value


def _remainder(value):
    for _ in range(8):
        value = (value << 1 ^ 0x04C11DB7 if value >> 31 else value << 1) & 0xFFFFFFFF
    return value


CRC = [_remainder(byte << 24) for byte in range(256)]


def pages(data):
    """The pages of an Ogg file that holds nothing else."""
    at, found = 0, []
    while at < len(data):
        length = 27 + data[at + 26] + sum(data[at + 27 : at + 27 + data[at + 26]])
        found.append(data[at : at + length])
        at += length
    return found


def page_with(page, at, data):
    """A page with other bytes in a place, and the checksum that belongs to them."""
    page = bytearray(page)
    page[at : at + len(data)] = data
    page[22:26] = bytes(4)
    page[22:26] = struct.pack("<I", checksum(page))
    return bytes(page)


def unmarked(found):
    """Without the mark of the last page."""
    return [*found[:-1], page_with(found[-1], 5, bytes([found[-1][5] & ~4]))]


def with_serial(found, serial):
    return [page_with(page, 14, struct.pack("<I", serial)) for page in found]


def moved(found, places, headers):
    """All pages of sound that many places later, as a recording of a station has them."""
    granule = lambda page: struct.unpack_from("<q", page, 6)[0]
    return [
        page if i < headers or granule(page) < 0 else page_with(page, 6, struct.pack("<q", granule(page) + places))
        for i, page in enumerate(found)
    ]
