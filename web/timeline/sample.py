"""A timeline of a filter that the index cannot count: the newest matches, sorted into buckets. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from infra.messages.message import Message
from web.timeline.bucket_counts import Bucket, Buckets
from web.timeline.drawing import Sampled
from web.timeline.layers import Layer
from web.timeline.spans import Span


@dataclass(frozen=True)
class SampledBuckets:
    """The buckets of a sample, of all matches and of each layer."""

    counted: Buckets
    layers: list[tuple[Layer, Buckets]]
    sampled: Sampled


def sampled_buckets(
    matches: Iterable[Message],
    span: Span,
    now: datetime,
    layers: Sequence[Layer],
    layer_of: Callable[[Message], int | None],
    searched_to: Callable[[], datetime | None],
) -> SampledBuckets:
    """Sort matches into buckets. Buckets that an incomplete search has not seen whole have no count.

    ``searched_to`` is asked after the last match: how far back the search went; None for the whole span.
    """
    starts = span.starts(now)
    counts = [[0] * span.number for _ in range(len(layers) + 1)]
    number = 0
    for message in matches:
        number += 1
        place = min(span.number - 1, max(0, (message.received_at - starts[0]) // span.length))
        counts[0][place] += 1
        layer = layer_of(message)
        if layer is not None:
            counts[layer + 1][place] += 1
    oldest = searched_to()

    def buckets(some: list[int]) -> Buckets:
        known = (oldest is None or at >= oldest for at in starts)
        entries = zip(starts, some, known, strict=True)
        return Buckets(tuple(Bucket(at, count if is_known else None) for at, count, is_known in entries), ())

    return SampledBuckets(
        buckets(counts[0]),
        [(layer, buckets(some)) for layer, some in zip(layers, counts[1:], strict=True)],
        Sampled(number, oldest),
    )
