"""``python -m infra``: publish, manage users, start and stop delivery, follow messages."""

import os
import sys
from pathlib import Path

import click

from infra.cli.context import READY_FILE, CommandContext, CommandGroup, environment_of
from infra.cli.delivery import start, status, stop
from infra.cli.publish import publish
from infra.cli.tail import tail
from infra.cli.user import user


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--local", is_flag=True, help=f"Work on the local cloud that `make run` started ({READY_FILE}).")
@click.option(
    "--ready-file", type=click.Path(path_type=Path), help="Work on the local cloud that wrote this ready file."
)
@click.pass_context
def main(ctx: click.Context, local: bool, ready_file: Path | None) -> None:
    """Commands for Subscope, on Google Cloud (settings from the environment) or on the local cloud (--local)."""
    if local or ready_file:
        # Google's clients look for the emulators' addresses in the process's own environment.
        os.environ.update(environment_of(ready_file or READY_FILE))
    ctx.obj = CommandContext()


for command in (publish, user, start, stop, status, tail):
    main.add_command(command)

if __name__ == "__main__":
    try:
        main(prog_name="python -m infra")
    except BrokenPipeError:  # `… | head` has seen enough
        sys.stderr.close()
        raise SystemExit(0) from None
