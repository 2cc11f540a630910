"""``python -m tests.load L1``: run one stage, print a line each second and the verdict, and write a report.

Exits with 0 when everything passed, 1 when not, 2 for a wrong command line.
"""

import argparse
import sys
from pathlib import Path

from tests.load.mutants import MUTANTS
from tests.load.report.page import write_report
from tests.load.stages import STAGES
from tests.load.verdict import Options, run_stage

REPORTS = Path(".local/load")


def main() -> int:
    """Run the stage that the command line names."""
    arguments = _parser().parse_args()
    stage = STAGES[arguments.stage]
    name = f"{stage.name}-{arguments.mutant}" if arguments.mutant else stage.name
    directory = REPORTS / name
    print(
        f"{stage.name}, {stage.title}; seed {arguments.seed}, scale {arguments.scale:g}, rate {arguments.rate:g}",
        flush=True,
    )
    outcome = run_stage(stage, Options(directory, arguments.seed, arguments.scale, arguments.rate, arguments.mutant))
    print(*outcome.lines(), sep="\n")
    print(f"report: {write_report(outcome, directory)}")
    return 0 if outcome.passed else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description="Run one stage of load and chaos.")
    parser.add_argument(
        "stage", choices=sorted(STAGES), help="; ".join(f"{s.name}: {s.title}" for s in STAGES.values())
    )
    parser.add_argument("--seed", type=int, default=1, help="of payloads, faults and clients (default: 1)")
    parser.add_argument("--scale", type=float, default=1.0, help="shortens the stage, for example 0.33 (default: 1)")
    parser.add_argument("--rate", type=float, default=1.0, help="lowers the rates on a busy machine (default: 1)")
    parser.add_argument("--mutant", choices=("", *MUTANTS), default="", help="a broken service: the stage must fail")
    return parser


if __name__ == "__main__":
    sys.exit(main())
