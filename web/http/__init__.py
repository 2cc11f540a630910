"""HTTP for all routes: headers, compression, static files, errors, confirmation, notices, the cookie and form token.

It knows no subject of the viewer: messages, delivery and users are other packages.
"""
