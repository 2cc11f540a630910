"""``user``: add, list and remove the people who may sign in, their roles and passwords."""

import sys

import click

from infra.accounts.user import ROLES, Role
from infra.cli.context import CommandContext

_role = click.Choice(ROLES)
_password_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it."
)


@click.group()
def user() -> None:
    """The people who may sign in to the viewer."""


@user.command()
@click.argument("name")
@click.option("--role", type=_role, default="viewer", show_default=True, help="What the user may do.")
@_password_stdin
@click.pass_obj
def add(console: CommandContext, name: str, role: Role, password_stdin: bool) -> None:
    """Add the user NAME."""
    console.users.add(name, _password(password_stdin), role, by=console.who)
    click.echo(f"Added {name} as {role}.")
    if not any(one.role == "admin" for one in console.users.all()):
        click.echo("Nobody is an admin: the viewer makes one only while there is no user at all. Add one.", err=True)


@user.command()
@click.argument("name")
@_password_stdin
@click.pass_obj
def password(console: CommandContext, name: str, password_stdin: bool) -> None:
    """Set a new password for NAME and end all sessions of NAME."""
    console.users.set_password(name, _password(password_stdin), by=console.who)
    click.echo(f"{name} has a new password and is signed out everywhere.")


@user.command()
@click.argument("name")
@click.argument("role", type=_role)
@click.pass_obj
def role(console: CommandContext, name: str, role: Role) -> None:
    """Give NAME another ROLE and end all sessions of NAME."""
    console.users.set_role(name, role, by=console.who)
    click.echo(f"{name} is {role} now and is signed out everywhere.")


@user.command("list")
@click.pass_obj
def list_(console: CommandContext) -> None:
    """List all users: name, role, last sign-in."""
    click.echo(f"{'NAME':<32} {'ROLE':<8} LAST SIGN-IN")
    for one in console.users.all():
        seen = f"{one.last_seen_at:%Y-%m-%d %H:%M} UTC" if one.last_seen_at else "never signed in"
        click.echo(f"{one.name:<32} {one.role:<8} {seen}")


@user.command()
@click.argument("name")
@click.pass_obj
def remove(console: CommandContext, name: str) -> None:
    """Remove NAME and end all sessions of NAME."""
    console.users.remove(name, by=console.who)
    click.echo(f"Removed {name}.")


def _password(password_stdin: bool) -> str:
    if password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask for the password; use --password-stdin.")
    asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return asked
