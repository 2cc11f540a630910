"""Services that break one promise on purpose: each must turn the harness red. None is part of the product."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One broken service, the module that breaks it, and the invariant that must fail."""

    service: str
    source: str
    breaks: str

    def command_of(self, program: str, command: tuple[str, ...]) -> tuple[str, ...]:
        """Return the command of a program, changed if it is the broken service."""
        if program != self.service:
            return command
        if program == "receiver":
            return (*command, "--source", self.source)
        return tuple(self.source if part == "web:create_app()" else part for part in command)


MUTANTS = {
    "ack-first": Mutant("receiver", "tests/load/mutants/ack_first.py", "I1"),
    "random-id": Mutant("receiver", "tests/load/mutants/random_id.py", "I2"),
    "forgetful": Mutant("viewer", "tests.load.mutants.forgetful:create()", "I3"),
    "unsupervised": Mutant("viewer", "tests.load.mutants.unsupervised:create()", "I4"),
}
