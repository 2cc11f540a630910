"""All commands in one group, with the options that choose the cloud they work on."""

from pathlib import Path

import click

from infra.cli.command_types import CommandGroup
from infra.cli.context import READY_FILE, CommandContext, use_local_cloud
from infra.cli.delivery import start, status, stop
from infra.cli.publish import publish
from infra.cli.redrive import redrive
from infra.cli.tail import tail
from infra.cli.user import user
from infra.version import version


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--local", is_flag=True, help=f"Work on the local cloud that `make run` started ({READY_FILE}).")
@click.option(
    "--ready-file", type=click.Path(path_type=Path), help="Work on the local cloud that wrote this ready file."
)
@click.version_option(version(), message="%(version)s")
@click.pass_context
def main(ctx: click.Context, local: bool, ready_file: Path | None) -> None:
    """Commands for Subscope, on Google Cloud (settings from the environment) or on the local cloud (--local)."""
    if local or ready_file:
        use_local_cloud(ready_file or READY_FILE)
    ctx.obj = CommandContext()


for command in (publish, user, start, stop, status, tail, redrive):
    main.add_command(command)
