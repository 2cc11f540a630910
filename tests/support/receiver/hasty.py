"""The receiver with short limits, for functions-framework to serve in tests.

It is main.py, except that a key server is asked again after three seconds instead of a minute. The minute is held by
tests/functions/test_google_keys.py.
"""

from functions.tokens import google_keys
from main import receive

__all__ = ["receive"]
google_keys.MIN_AGE_SECONDS = 3.0
