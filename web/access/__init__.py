"""Access to the viewer: sign-in, sessions, the roles of routes, Identity-Aware Proxy, and masking by role.

It owns the question "may this user do that". It must not import lists, live messages or pages of other packages.
"""
