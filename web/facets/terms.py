"""The terms of the filter language that select one value of a facet. Pure."""

from infra.query import quoted

# Derived from a message by Subscope; an attribute with such a name is no facet.
SEVERITY, KIND, SUBSCRIPTION = ":severity", ":kind", ":subscription"
DERIVED = {SEVERITY: "severity=", KIND: "kind:", SUBSCRIPTION: "subscription:"}


def term_of(name: str, value: str) -> str:
    """Return the term for the messages with this value."""
    return DERIVED.get(name, f"{quoted(name)}=") + quoted(value)


def label_of(name: str) -> str:
    """Return the name that people read."""
    return name.removeprefix(":") if name in DERIVED else name


def joined(q: str, term: str) -> str:
    """Return the filter with one more term."""
    return f"{q} {term}".strip()
