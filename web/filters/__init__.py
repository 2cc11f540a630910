"""The filter of a request, and everything that can be chosen beside it.

``request_filter`` reads ``?q=``, ``?subscription=`` and ``?before=``; ``columns`` reads ``?columns=``; ``links`` writes
such addresses; ``problems`` describes an invalid filter; ``saved_filters`` has the page of filters that people
save, ``highlights`` the colours that they give to rows.
"""
