"""The list of messages, its rows, and the page of one message.

``views`` has the routes, ``list_page`` the content of the list, ``rows`` one row (also in the live stream),
``summaries`` the line about well-known messages, ``replay_links`` the links between a message and its replays,
``traces`` the page of all messages of a trace, ``console_links`` addresses in Google's console, ``own_links`` those
that a deployment adds.
"""
