"""The border of the command line: each end of a command is an exit code and at most one sentence, never a traceback."""

import io
import os
import signal
import sys

import click

from infra.cli.command_types import ReaderGoneError
from infra.messages.visible_text import visible

FAILED = 1


def run_command(command: click.Command, prog_name: str) -> int:
    """Run a command with the arguments of the process, print its error, and return the exit code.

    At Ctrl-C the process ends by the signal, so that a shell's loop ends as well; shells report this as 130.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal need not know each letter
    try:
        try:
            code = command.main(prog_name=prog_name, standalone_mode=False)
            if sys.stdout is not None:
                sys.stdout.flush()
            return code if isinstance(code, int) else 0
        except ReaderGoneError as exc:
            _discard_output()
            return exc.exit_code
        except click.ClickException as exc:
            shown = io.StringIO()
            exc.show(shown)
            click.echo(printable(shown.getvalue()), err=True, nl=False)
            return exc.exit_code
    except click.Abort:
        _end_by_interrupt()
    except BrokenPipeError:
        _discard_output()
        return 0
    except OSError as exc:
        _discard_output()
        click.echo(f"Error: {printable(_sentence(exc))}", err=True)
    return FAILED


def printable(text: str) -> str:
    """Return ``text`` without control characters except for line breaks: a terminal would obey them."""
    return "\n".join(visible(line) for line in text.split("\n"))


def _sentence(exc: OSError) -> str:
    if exc.filename is not None:
        return f"{os.fsdecode(exc.filename)}: {exc.strerror}."
    return f"The output cannot be written: {exc.strerror or exc}."


def _discard_output() -> None:
    """Let the text that is still buffered go nowhere: Python writes it at exit, and would fail again."""
    if sys.stdout is None:
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _end_by_interrupt() -> None:
    if sys.stderr is not None and sys.stderr.isatty():
        click.echo(err=True)  # ends the line on which the terminal shows ^C
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
