"""Which passwords a user may choose: long enough, and not among the first that a guesser tries. Pure.

NIST SP 800-63B, "Password Verifiers", names four kinds to refuse: common words, repetitions, sequences, and words of
the context such as the user's name. OWASP ASVS 5.0 asks for it in 6.2.4 and 6.2.11. A list of whole passwords would
miss the next year and the next digit. So a password is read as a row of such parts, and the characters that belong to
none of them are counted.
"""

import re

from infra.errors import InputError

MIN_CHARACTERS = 12
MAX_BYTES = 1024
MIN_UNPREDICTABLE = 5
_SHORTEST_PART = 3
_CONTEXT = ("subscope", "pubsub", "google", "cloud", "firestore", "viewer", "operator")
# The stems of the most frequent passwords in published breaches, each tried with digits, years and signs around it.
_COMMON = """
    abc access account adidas admin administrator adobe alexander amanda america andrea andrew angel anthony apple
    arsenal ashley austin auto autumn azerty baby babygirl bailey banana barcelona baseball basketball batman beach
    beautiful blink bond boston brandon bubbles buddy butterfly camaro change changeit changeme charlie cheese
    chelsea chicken chocolate chris christopher college company computer cookie corvette cowboys crystal daniel
    database david default demo diamond dolphin donald dragon eagles elizabeth england falcon family ferrari florida
    flower football forever forget freedom friends gateway george ginger guest guitar hannah happy harley heaven
    hello help hockey hunter iloveyou internet jackson jasmine jennifer jessica jesus jordan joshua justin killer
    king knight letmein liverpool login london love lovely loveme lover madison maggie manager manchester marina
    master matrix matthew melissa mercedes michael michelle mickey microsoft midnight monday money monkey monster
    mother music mustang mynoob naruto nicole nothing oliver orange pass passw passwd password peanut pepper phoenix
    player please pokemon porsche power princess purple rainbow ranger richard robert rock root samantha samsung
    scooter secret security server service shadow silver slayer snoopy soccer spiderman spring star starwars
    steelers summer sunday sunshine super superman support sweet system taylor temp tennis test tester testing
    thomas thunder tigger toyota trustno unbelievable united unknown user victoria welcome william windows
    winner winter yankees yellow you your zxcvbn
"""
_LINES = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "azertyuiop",
    "qsdfghjklm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "zaqxswcdevfrbgtnhymjukilop",
    "!@#$%^&*()",
    '!"§$%&/()=',
)
_SEQUENCES = frozenset(
    line[start : start + _SHORTEST_PART]
    for forward in _LINES
    for line in (forward, forward[::-1])
    for start in range(len(line) - _SHORTEST_PART + 1)
)
_YEAR = re.compile(r"(?:19|20)\d\d")
# How guessers write words with other signs; 1 and ! stand for i or l.
_SPELLINGS = (str.maketrans("@4830!157$", "aabeoiists"), str.maketrans("@4830!157$|", "aabeollstsl"))


def check_password(password: str, name: str) -> None:
    """Raise InputError unless the user ``name`` may choose ``password``.

    It has 12 characters to 1,024 bytes, and at least five that belong to no common word, repetition or sequence.
    """
    if len(password) < MIN_CHARACTERS:
        raise InputError("password", f"has {len(password)} characters; the minimum is {MIN_CHARACTERS}.")
    try:
        size = len(password.encode())
    except UnicodeEncodeError as exc:
        raise InputError("password", "is not text in UTF-8.") from exc
    if size > MAX_BYTES:
        raise InputError("password", f"is longer than {MAX_BYTES} bytes.")
    if unpredictable_characters(password, name) < MIN_UNPREDICTABLE:
        raise InputError(
            "password",
            "is easy to guess: it is little more than common words, a name, a repetition or a sequence. Take several "
            "unrelated words, or let a password manager choose.",
        )


def unpredictable_characters(password: str, name: str) -> int:
    """Return the least number of characters outside of predictable parts: words, repetitions, sequences and years."""
    text = "".join(password.casefold().split())
    words = _words((*_COMMON.split(), *_CONTEXT, *re.split(r"[^a-z]+", name.casefold())))
    spelled = {text, *(text.translate(spelling) for spelling in _SPELLINGS)}
    # least[i]: the least number for the first i characters.
    least = [0] + [len(text)] * len(text)
    for start in range(len(text)):
        least[start + 1] = min(least[start + 1], least[start] + 1)
        for end in _ends(text, spelled, words, start):
            least[end] = min(least[end], least[start])
    return least[-1]


def _words(words: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in words:
        if len(word) >= _SHORTEST_PART:
            found.setdefault(word[0], []).append(word)
    return found


def _ends(text: str, spelled: set[str], words: dict[str, list[str]], start: int) -> set[int]:
    """Return where the predictable parts end that begin at ``start``."""
    ends = {start + _SHORTEST_PART for one in spelled if one[start : start + _SHORTEST_PART] in _SEQUENCES}
    ends |= {start + len(word) for one in spelled for word in words.get(one[start], ()) if one.startswith(word, start)}
    if _YEAR.match(text, start):
        ends.add(start + 4)
    # A block that was just before: one character three times, or two and more a second time.
    if text[start : start + 1] * 3 == text[start : start + 3]:
        ends.add(start + 3)
    for size in range(1, min(start, len(text) - start, 32) + 1):
        block = text[start : start + size]
        if text[start - size : start] == block and (size > 1 or text[start - 2 : start - 1] == block):
            ends.add(start + size)
    return ends
