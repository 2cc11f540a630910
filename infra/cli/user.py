"""``user``: add, list and remove users, and set their roles and passwords."""

import sys

import click

from infra.accounts.user import ROLES, Role
from infra.cli.command_types import CommandGroup
from infra.cli.context import CommandContext, standard_input
from infra.errors import InputError
from infra.messages.visible_text import visible

# Longer than any password: a longer line is refused as one.
_MAX_LINE_BYTES = 10_000
_role = click.Choice(ROLES)
_password_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it."
)


@click.group(cls=CommandGroup)
def user() -> None:
    """Manage the users who can sign in to the viewer."""


@user.command()
@click.argument("name")
@click.option("--role", type=_role, default="viewer", show_default=True, help="The rights of the user.")
@_password_stdin
@click.pass_obj
def add(context: CommandContext, name: str, role: Role, password_stdin: bool) -> None:
    """Add the user NAME."""
    context.users.add(name, _password(password_stdin), role, by=context.who)
    click.echo(f"Added {name} as {role}.")
    if not any(account.role == "admin" for account in context.users.all()):
        click.echo("No admin is left, and the viewer creates one only when there are no users. Add one now.", err=True)


@user.command()
@click.argument("name")
@_password_stdin
@click.pass_obj
def password(context: CommandContext, name: str, password_stdin: bool) -> None:
    """Set a new password for NAME and end all sessions of NAME."""
    context.users.set_password(name, _password(password_stdin), by=context.who)
    click.echo(f"{name} has a new password and is signed out everywhere.")


@user.command()
@click.argument("name")
@click.argument("role", type=_role)
@click.pass_obj
def role(context: CommandContext, name: str, role: Role) -> None:
    """Give NAME another ROLE and end all sessions of NAME."""
    context.users.set_role(name, role, by=context.who)
    click.echo(f"{name} is {role} now and is signed out everywhere.")


@user.command("list")
@click.pass_obj
def list_(context: CommandContext) -> None:
    """List all users: name, role, last sign-in."""
    click.echo(f"{'NAME':<32} {'ROLE':<8} LAST SIGN-IN")
    for account in context.users.all():
        last_seen = f"{account.last_seen_at:%Y-%m-%d %H:%M} UTC" if account.last_seen_at else "never signed in"
        click.echo(f"{visible(account.name):<32} {account.role:<8} {last_seen}")


@user.command()
@click.argument("name")
@click.pass_obj
def remove(context: CommandContext, name: str) -> None:
    """Remove NAME and end all sessions of NAME."""
    context.users.remove(name, by=context.who)
    click.echo(f"Removed {name}.")


def _password(password_stdin: bool) -> str:
    if password_stdin:
        try:
            return standard_input().readline(_MAX_LINE_BYTES).decode().rstrip("\r\n")
        except UnicodeDecodeError as exc:
            raise InputError("password", f"is not UTF-8 (byte {exc.start + 1}).") from exc
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask for the password; use --password-stdin.")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password
