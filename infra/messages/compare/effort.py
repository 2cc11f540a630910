"""The bound on the work of one comparison: steps of alignment, operations, and the CPU that its caller allows. Pure."""

from collections.abc import Callable

# Each step takes about half a microsecond.
ALIGNMENT_STEPS = 30_000
MAX_OPERATIONS = 10_000

MANY_DIFFERENCES = "Too many differences to list: an object or array is shown as changed as a whole."
BY_POSITION = "Too much to align: in a part of the payload, items are compared by their position."
OUT_OF_TIME = "The comparison took too long: the last parts are shown as changed as a whole."


def always() -> bool:
    """Return True: for a comparison without a limit of time."""
    return True


class Effort:
    """The work that is left. ``notes`` has a sentence for each bound that was reached."""

    def __init__(self, goes_on: Callable[[], bool] = always) -> None:
        self.notes: list[str] = []
        self._goes_on = goes_on
        self._steps = ALIGNMENT_STEPS
        self._operations = MAX_OPERATIONS

    def takes_steps(self, steps: int) -> bool:
        """Use up steps of alignment; False when they are not left."""
        self._steps -= steps
        return self._steps >= 0 or self.note(BY_POSITION)

    def takes_operations(self, operations: int) -> bool:
        """Use up operations, or give some back (a negative number); False when they are not left."""
        if operations > self._operations:
            return self.note(MANY_DIFFERENCES)
        self._operations -= operations
        return True

    def has_time(self) -> bool:
        """Ask the caller whether to look further."""
        return self._goes_on() or self.note(OUT_OF_TIME)

    def note(self, sentence: str) -> bool:
        """Remember that a bound was reached; always False."""
        if sentence not in self.notes:
            self.notes.append(sentence)
        return False
