"""Sizes of installed distributions and of all that these require: python install_size.py NAME..., as JSON. Other things that the
environment holds are not counted."""
import json
import sys
from importlib.metadata import distribution, PackageNotFoundError
from pathlib import Path

from packaging.requirements import Requirement

BLOCK = 4096


def closure(names):
    found = {}
    waiting = list(names)
    while waiting:
        requirement = Requirement(waiting.pop())
        name = requirement.name.lower().replace("_", "-")
        extras = requirement.extras or {""}
        missing = extras - found.get(name, set())
        if not missing:
            continue
        try:
            requires = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        found.setdefault(name, set()).update(missing)
        for text in requires:
            marker = Requirement(text).marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in missing):
                waiting.append(text.split(";")[0])
    return sorted(found)


def size(name):
    paths = (Path(file.locate()) for file in distribution(name).files or [])
    return sum(-(-path.stat().st_size // BLOCK) * BLOCK for path in paths if path.is_file())


names = closure(sys.argv[1:])
print(json.dumps({"packages": len(names), "bytes": sum(map(size, names))}))
