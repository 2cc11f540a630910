"""The page that compares two messages: the person's own view of both, what differs, and how to find the other one.

``views`` has the routes, ``contents`` reads and compares within the bounds, ``rows`` and ``facts`` say what is shown,
``earlier`` finds an earlier message of the same ordering key or type.
"""
