"""Hostile texts that every page must show as text: one list for all tests."""

HOSTILE = (
    "</pre></td></table><script>alert('x')</script><img src=x onerror=alert(2)><svg onload=alert(3)>\"'`${1}{{7*7}}"
)
# Each is harmful in another place: in a tag, an attribute, an address, a title, a script, a comment.
STRINGS = (
    HOSTILE,
    "</title></textarea></style></script><script>alert(4)</script>",
    "\" autofocus onfocus=alert(5) x='",
    "javascript:alert(6)//",
    "<!--<iframe srcdoc='<script>alert(7)</script>'>",
    "\u202eevil\u2066\ufeff<style>*{display:none}</style>",
)
# All in one text, and the one that must stand first. These two are enough for pages that run their scripts.
TOGETHER = (" ".join(STRINGS), "javascript:alert(6)//")
