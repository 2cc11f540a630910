"""The CPU time and the memory of comparisons of payloads of 1 MB, in the costliest shapes.

Run it with ``python -m tests.benchmarks.compare``. It prints and asserts nothing.
"""

import time
import tracemalloc

from infra.messages.compare.payloads import compare
from tests.support.large_pairs import large_pairs


def main() -> None:
    print(f"{'1 MB each':34} {'CPU':>8} {'memory':>9}  compared by")
    for name, (a, b) in large_pairs().items():
        seconds = []
        for _ in range(3):
            began = time.thread_time()
            found = compare(a, b)
            seconds.append(time.thread_time() - began)
        tracemalloc.start()
        compare(a, b)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        notes = " ".join(found.notes)
        print(f"{name:34} {min(seconds) * 1000:5.0f} ms {peak / 1e6:6.0f} MB  {found.way} {notes}")


if __name__ == "__main__":
    main()
