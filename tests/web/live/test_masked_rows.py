from infra.messages.masking import Mask
from tests.support.firestore.writer import stored_message
from web.live.masked_rows import MaskedRows


def test_redelivered_message_is_masked_again() -> None:
    rows = MaskedRows(Mask(("email",)))
    first = rows.see(stored_message(1))
    again = rows.see(stored_message(1, deliveries=2))
    assert (first.deliveries, again.deliveries) == (1, 2)
