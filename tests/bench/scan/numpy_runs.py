# Runs of set bits with numpy, spoken to as scan.c is: "load SLOT BYTES" with as many bytes, "runs 0 0".
import sys
import time

try:
    import numpy as np
except ImportError:
    sys.exit(1)

ONE, TOP = np.uint64(1), np.uint64(63)


def runs(words, edges):
    # Only words with an edge are taken apart: unpacking all of them costs ten times as much.
    np.left_shift(words, ONE, out=edges)
    edges[1:] |= words[:-1] >> TOP
    edges ^= words
    listed = np.flatnonzero(edges)
    bits = np.flatnonzero(np.unpackbits(edges[listed].view(np.uint8), bitorder="little"))
    places = (listed[bits >> 6] << 6) + (bits & 63)
    if len(places) % 2 == 1:
        places = np.append(places, len(words) << 6)
    return len(places[0::2])


words = edges = None
for line in iter(sys.stdin.buffer.readline, b""):
    what, _, amount = (line.split() + [b"0", b"0"])[:3]
    start = time.perf_counter_ns()
    result = 0
    if what == b"load":
        words = np.frombuffer(sys.stdin.buffer.read(int(amount)), dtype="<u8")
        edges = np.empty_like(words)
    elif what == b"runs":
        result = runs(words, edges)
    print(time.perf_counter_ns() - start, result, flush=True)
