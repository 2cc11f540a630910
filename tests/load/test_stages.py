"""The smoke stage and a few seconds of the steady one. Completeness is asserted, and nothing that depends on speed."""

from pathlib import Path

import pytest

from tests.load.report.page import write_report
from tests.load.stages import STAGES
from tests.load.verdict import Options, run_stage


@pytest.mark.parametrize(("name", "scale"), [("L0", 1.0), ("L1", 0.05)])
def test_stage_is_complete(tmp_path: Path, name: str, scale: float) -> None:
    outcome = run_stage(STAGES[name], Options(tmp_path, scale=scale, prints=False))
    assert outcome.is_complete, "\n".join(outcome.lines())
    report = write_report(outcome, tmp_path).read_text()
    assert "<svg" in report
    assert outcome.stage.title in report
    assert "http-equiv" not in report
    assert 'src="' not in report, "the report needs the network"
