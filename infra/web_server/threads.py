"""The threads of the viewer: one for each stream, and a reserve that consists of these parts. Imports nothing.

A part is the most that its requests can hold at a time, running and waiting. So strangers, sign-ins and any one person
together leave threads for the pages of others and for the platform's check of /healthz.
"""

STRANGERS = 8  # requests without a session, sign-ins excepted
RUNNING_SIGN_INS = 4  # two hash at a time, two wait for Firestore
WAITING_SIGN_INS = 12
# Of one person. There are places for four persons: those who search and export all at once also use the threads below.
SEARCHES = 4
WAITING_SEARCHES = 4
EXPORTS = 2
PAGES = 6

# Terraform's max_instance_request_concurrency is MAX_STREAMS and this number.
RESERVE = STRANGERS + RUNNING_SIGN_INS + WAITING_SIGN_INS + SEARCHES + WAITING_SEARCHES + EXPORTS + PAGES
