"""The classes of all commands: they refuse arguments that are not text, and turn a known error into one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from infra.errors import InputError, SettingsError, SubscopeError


class ReaderGoneError(click.ClickException):
    """The reader of the output has closed the pipe, as ``head`` does: the command ends without an error."""

    exit_code = 0


class _UsageProblem(click.ClickException):
    exit_code = 2


class Command(click.Command):
    """A command; each of its text arguments is UTF-8."""

    def invoke(self, ctx: click.Context) -> Any:
        for parameter in self.params:
            _check_text(ctx, parameter)
        return super().invoke(ctx)


class CommandGroup(click.Group):
    """Turns a known error into one sentence: exit code 2 for a wrong argument or setting, otherwise 1."""

    command_class = Command

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        with _until_interrupted():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _until_interrupted():
                return super().invoke(ctx)
        except SubscopeError as exc:
            kind = _UsageProblem if isinstance(exc, SettingsError | InputError) else click.ClickException
            raise kind(str(exc)) from exc
        except UnicodeEncodeError as exc:  # a setting: the arguments are checked
            raise _UsageProblem(f"{ascii(exc.object)[:300]} is not UTF-8.") from exc


@contextmanager
def _until_interrupted() -> Iterator[None]:
    # Within click's own handlers, which would print "Aborted!" and call a closed pipe an error.
    try:
        yield
    except KeyboardInterrupt as exc:
        raise click.Abort from exc
    except BrokenPipeError as exc:
        raise ReaderGoneError("") from exc


def _check_text(ctx: click.Context, parameter: click.Parameter) -> None:
    """Raise BadParameter if a text is not UTF-8: Python reads each other byte as half of a surrogate pair."""
    given = ctx.params.get(parameter.name or "")
    for text in given if isinstance(given, tuple) else (given,):
        if isinstance(text, str) and not _is_utf8(text):
            raise click.BadParameter(f"{text!a} is not UTF-8.", ctx, parameter)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
