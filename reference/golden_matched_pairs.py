"""Makes packages/wav2vec2/test/golden/matched-pairs.json: NIST's matched-pairs test of random transcripts.

    python reference/golden_matched_pairs.py SCLITE SC_STATS packages/wav2vec2/test/golden/matched-pairs.json

SCLITE and SC_STATS are the programs of NIST's SCTK 2.4.10 (Debian's package sctk has them in /usr/lib/sctk/bin). Each
case holds sclite's alignments of two systems with the same references, an operation a letter (C right, S substituted,
D deleted, I inserted), and what `sc_stats -t mapsswe` makes of them. The last word is right everywhere, since sc_stats
does not see insertions of the second system behind it.
"""

import json
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

WORDS = "alpha bravo charlie delta echo foxtrot golf hotel india juliett".split()


def distort(rng, words, rate):
    heard = []
    for word in words:
        draw = rng.random()
        if draw < rate / 3:
            heard.append(rng.choice(WORDS))
        elif draw < rate * 2 / 3:
            heard += [word, rng.choice(WORDS)]
        elif draw >= rate:
            heard.append(word)
    return heard


def write(path, utterances):
    path.write_text("".join(f"{' '.join(words)} zulu (s{i % 5}_{i})\n" for i, words in enumerate(utterances)))


def operations(sgml):
    """Of one system, each utterance's operations in order of their ids."""
    paths = re.findall(r'<PATH id="\(s\d_(\d+)\)".*?>\n(.*)\n</PATH>', sgml)
    return [re.sub(r"([CSDI])[^:]*:?", r"\1", line) for _, line in sorted(paths, key=lambda each: int(each[0]))]


def case(rng, sclite, sc_stats, count, rates):
    references = [[rng.choice(WORDS) for _ in range(rng.randint(1, 30))] for _ in range(count)]
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        write(directory / "ref", references)
        sgml = []
        for name, rate in zip("AB", rates):
            write(directory / name, [distort(rng, words, rate) for words in references])
            command = [sclite, "-r", directory / "ref", "trn", "-h", directory / name, "trn", name, "-i", "spu_id"]
            done = subprocess.run([*command, "-o", "sgml", "stdout"], capture_output=True, text=True, check=True)
            sgml.append(done.stdout[done.stdout.index("<SYSTEM") :])
        command = [sc_stats, "-p", "-t", "mapsswe", "-v", "-n", "-"]
        done = subprocess.run(command, input="".join(sgml).encode(), capture_output=True, check=True)
        report = done.stdout.decode(errors="replace")  # its matrices hold stray bytes
    line = next(line for line in report.splitlines() if line.startswith("MTCH_PR_RESULTS"))
    number = lambda name: float(re.search(rf"\({name}:\s*(-?[\d.]+)\)", line).group(1))
    pairs = [list(pair) for pair in zip(*map(operations, sgml))]
    return {"segments": int(number("# segs")), "mean": number("mean"), "z": number("Z Stat"), "utterances": pairs}


def main():
    sclite, sc_stats, target = sys.argv[1:]
    rng = random.Random(5)
    cases = [
        case(rng, sclite, sc_stats, *each)
        for each in [(40, (0.1, 0.12)), (60, (0.3, 0.05)), (60, (0.02, 0.03)), (80, (0.6, 0.6))]
    ]
    Path(target).write_text("[\n" + ",\n".join(map(json.dumps, cases)) + "\n]\n")


main()
