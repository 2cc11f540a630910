"""The token of a push: ``oidc`` checks its claims, and a ``Signature`` its third part.

``google_signature`` verifies it with the keys of ``google_keys``, which ``key_fetch`` fetches. ``platform_signature``
also accepts a token without the signature that Cloud Run verified and removed.
"""
