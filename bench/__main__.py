"""python -m bench: measure on each kind of database, print, and write bench/RESULTS.md.

`--only reads --database postgresql` measures a part alone, and writes nothing.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from bench import report
from bench.databases import KINDS
from bench.machine import Watch
from bench.plan import FULL, PARTS, QUICK, Plan
from bench.scenarios import measure

RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    """Run the benchmark in a folder that is removed again."""
    plan = _plan()
    watch = Watch()
    with tempfile.TemporaryDirectory(prefix="kis-bench-") as folder:
        results = measure(Path(folder), plan, _tell)
    text = report.render(results, plan, watch.others_percent())
    _tell("\n" + text)
    if plan.is_whole and plan.rounds == FULL.rounds:
        RESULTS.write_text(text, encoding="utf-8")
        _tell(f"written to {RESULTS.name}")


def _plan() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two minutes; writes no file")
    parser.add_argument("--only", action="append", choices=PARTS, help="may be repeated")
    parser.add_argument("--database", choices=KINDS)
    wanted = parser.parse_args()
    plan = QUICK if wanted.quick else FULL
    if wanted.only:
        plan = plan._replace(only=frozenset(wanted.only))
    if wanted.database:
        plan = plan._replace(kinds=(wanted.database,))
    return plan


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
