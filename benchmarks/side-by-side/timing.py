"""How a pass is timed in a process, as repeat.mjs does, and the process's highest resident memory."""
import json
import re
import time


def repeat(run, request, most=10):
    def timed():
        began = time.perf_counter()
        run()
        return time.perf_counter() - began

    first = timed()
    if first > request["long"]:
        return {"first": first, "seconds": [first]}
    seconds = []
    while len(seconds) < most and (not seconds or sum(seconds) < request["wanted"]):
        seconds.append(timed())
    return {"first": first, "seconds": seconds}


def resident_mb(name="VmHWM"):
    with open("/proc/self/status") as status:
        return int(re.search(rf"{name}:\s+(\d+) kB", status.read())[1]) * 1024 / 1e6


def tell(measured):
    print(json.dumps({**measured, "peakMb": resident_mb()}), flush=True)
