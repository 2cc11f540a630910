"""The commands of ``subscope`` in this process: they import Google's clients once, not for each command."""

from collections.abc import Mapping

from click.testing import CliRunner, Result

from infra.cli.program import main


def invoke(*words: str, environ: Mapping[str, str], stdin: bytes = b"") -> Result:
    """Run a command to its end; fail if it ends with anything but an exit code."""
    result = CliRunner().invoke(main, words, input=stdin, env=dict(environ), prog_name="subscope")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result
