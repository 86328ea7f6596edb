"""python -m bench [--quick]: measure, print, and write bench/RESULTS.md."""

import argparse
import sys
import tempfile
from pathlib import Path

from bench import report
from bench.machine import Watch
from bench.scenarios import FULL, QUICK, measure

RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    """Run the benchmark in a folder that is removed again."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute; writes no file")
    quick = parser.parse_args().quick
    watch = Watch()
    plan = QUICK if quick else FULL
    with tempfile.TemporaryDirectory(prefix="kis-bench-") as folder:
        results = measure(Path(folder), plan, _tell)
    text = report.render(results, plan, watch.others_percent())
    _tell("\n" + text)
    if not quick:
        RESULTS.write_text(text, encoding="utf-8")
        _tell(f"written to {RESULTS.name}")


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
