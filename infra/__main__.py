"""The command line: ``subscope``, or ``python -m infra`` where only the source files are."""

import signal


def run(prog_name: str = "subscope") -> None:
    """Run one command and exit with its code."""
    # The imports take a second: until they are done, Ctrl-C ends the process at once, without a traceback.
    interrupts = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interrupts:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from infra.cli.program import main
    from infra.cli.run_command import run_command

    if interrupts:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    raise SystemExit(run_command(main, prog_name))


if __name__ == "__main__":
    run("python -m infra")
