"""The terms with a regular expression between slashes: ``/time.?out/``, ``url=~/^\\/orders\\/[0-9]+$/``. Pure."""

from infra.query.content_terms import Matches
from infra.query.expressions import MAX_INSTRUCTIONS, expression
from infra.query.syntax.tokenizer import QueryError, Word

# Each is one pass over the payload of each message, or over all values of a path with *.
MAX_EXPRESSIONS = 5


class ExpressionReader:
    """Reads the expressions of one filter: few, and together of a bounded size."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}

    def read(self, word: Word) -> Matches:
        """Return the term of an expression. Raises QueryError."""
        try:
            self._sizes[word.value] = expression(word.value).instructions
        except ValueError as exc:
            raise QueryError(word.value_column, f"{exc}; in quotes it is text.") from exc
        if len(self._sizes) > MAX_EXPRESSIONS:
            raise QueryError(word.column, f"a filter has at most {MAX_EXPRESSIONS} different expressions.")
        if (total := sum(self._sizes.values())) > MAX_INSTRUCTIONS:
            problem = f"the expressions of a filter have at most {MAX_INSTRUCTIONS} instructions together"
            raise QueryError(word.column, f"{problem}; found {total}.")
        return Matches(word.key, word.value)
