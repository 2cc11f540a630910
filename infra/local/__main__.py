"""``python -m infra.local``: the command line of the local cloud."""

import argparse
import asyncio
import contextlib
import os
import re
import signal
import sys
from pathlib import Path

import uvloop

from infra.local.processes.ports import free_port, is_free

WELCOME = """
Subscope runs on this machine. Everything in it is gone when it ends (Ctrl-C).

  viewer    {viewer}
  user      {user}
  password  {password}

Try next: open the viewer, sign in, and watch messages arrive. Publish a message from another terminal:

  {python} -m infra --ready-file {ready_file} publish {topic} '{{"hello": "world"}}'

Addresses and secrets for other programs are in {ready_file}; the services' logs are beside it.
"""


# The path as a person in this folder would type it.
PYTHON = os.path.relpath(sys.executable)


def main() -> int:
    """Run until Ctrl-C or SIGTERM. Returns 0, 1 when a part did not start, 2 for a wrong command line."""
    arguments = _parser().parse_args()
    if arguments.port and not is_free(arguments.port):
        print(f"Port {arguments.port} is taken. Choose another one with --port; 0 means any.", file=sys.stderr)
        return 2
    # uvloop halves the CPU time of a push: one process runs Pub/Sub, its push client and Firestore.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    environ = dict(os.environ)
    # Set before importing grpc; otherwise it logs a warning for each child process. The receiver forks, so it must not
    # inherit this variable.
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    # Imported here because they take a second, and an error in the command line should appear at once.
    from infra.local.processes.ready_file import TakenError
    from infra.local.processes.supervisor import StartError
    from infra.local.run_config import ADMIN_USER
    from infra.local.runner import LocalCloud, Options

    port = arguments.port or free_port()
    options = Options(
        arguments.ready_file,
        port,
        arguments.emulators,
        arguments.invoker,
        arguments.samples,
        arguments.journal,
        environ,
    )
    _cancel_on_signals()
    try:
        async with LocalCloud(options) as plan:
            place = plan.ready({})
            place |= {"user": ADMIN_USER, "password": plan.admin_password, "ready_file": arguments.ready_file}
            print(WELCOME.format(**place, python=PYTHON), flush=True)
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        pass
    except (StartError, TakenError, OSError) as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


def _cancel_on_signals() -> None:
    """Cancel the calling task at the first signal; ignore further ones, which would leave processes behind."""
    task = asyncio.current_task()
    assert task is not None
    stopping = contextlib.ExitStack()
    stopping.callback(task.cancel)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopping.close)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.local",
        description="Run Subscope on this machine: Pub/Sub, Firestore, the receiver and the viewer.",
    )
    parser.add_argument("--port", type=_port, default=8080, help="the viewer's port; 0 means any (default: 8080)")
    parser.add_argument(
        "--ready-file",
        type=Path,
        default=Path(".local/ready.json"),
        help="written when all services answer; holds addresses and secrets (default: .local/ready.json)",
    )
    parser.add_argument("--no-samples", dest="samples", action="store_false", help="publish no sample messages")
    parser.add_argument(
        "--journal",
        type=Path,
        help="write what is published, pushed, acknowledged and stored to this file, for checks (default: none)",
    )
    parser.add_argument(
        "--emulators",
        choices=("local", "google"),
        default="local",
        help="the emulators of Pub/Sub and Firestore: local, in this process, or google (needs gcloud and Java)",
    )
    parser.add_argument(
        "--invoker",
        choices=("public", "iam"),
        default="public",
        help="callers of the receiver: public, every program of this machine, or iam, the push account alone through a "
        "stand-in for Cloud Run's check, which removes the signatures of tokens (default: public)",
    )
    return parser


def _port(text: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", text) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
