"""How a pass is timed in a process, as repeat.mjs does, and the process's highest resident memory."""
import json
import re
import time


def repeat(run, request, most=10):
    def timed():
        before, began = time.process_time(), time.perf_counter()
        run()
        return time.perf_counter() - began, time.process_time() - before

    before = [timed() for _ in range(request.get("uncounted", 1))]
    passes = [each for each in before[-1:] if each[0] > request["long"]]
    while not passes or (len(passes) < most and sum(took for took, _ in passes) < request["wanted"]):
        passes.append(timed())
    seconds, processor = zip(*passes)
    return {"first": before[0][0], "seconds": seconds, "processor": processor}


def resident_mb(name="VmHWM"):
    with open("/proc/self/status") as status:
        return int(re.search(rf"{name}:\s+(\d+) kB", status.read())[1]) * 1024 / 1e6


def tell(measured):
    print(json.dumps({**measured, "peakMb": resident_mb()}), flush=True)
