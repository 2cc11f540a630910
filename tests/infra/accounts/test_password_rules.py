"""Passwords that guessers try first are refused, others are taken."""

import secrets

import pytest

from infra.accounts.password_rules import check_password
from infra.accounts.passwords import generated_password
from infra.errors import InputError

EASY = [
    " " * 12,
    "a" * 12,
    "ab" * 6,
    "123123123123",
    "987654321098",
    "password1234",
    "P@ssw0rd1234",
    "Password2024!",
    "passwordpassword",
    "iloveyou1234",
    "Summer2026!!",
    "qwertyuiop12",
    "1q2w3e4r5t6y",
    "123qweasdzxc",
    "zaq12wsxcde3",
    "a b c d e f g",
    "Subscope-2026",
    "some.person-12",
    "AnaAnaAnaAnaAna",
    "monkey dragon football",
    "aaaaaaaaaaaaaaaaaaaa!",
    "a" * 1024,
]
GOOD = [
    "correct horse battery",
    "a long enough password",
    "my dog is called rex",
    "4711 0815 1234 5678",
    "пароль из слов и точек",
    "短い文でも十二文字あれば良い",
    "x7#Kp2!vQm9z",
    "r" + "x7#Kp2!vQm9z" * 85,
]


@pytest.mark.parametrize("password", EASY)
def test_easy_password_is_refused(password: str) -> None:
    with pytest.raises(InputError, match="is easy to guess") as refused:
        check_password(password, "some.person")
    assert password not in str(refused.value)


@pytest.mark.parametrize("password", GOOD)
def test_other_password_is_taken(password: str) -> None:
    check_password(password, "some.person")


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("", "has 0 characters"),
        ("elevenchars", "has 11 characters"),
        ("ä" * 513, "longer"),
        ("x7#Kp2!vQm9\udcff", "UTF-8"),
    ],
)
def test_password_has_12_characters_to_1024_bytes_of_text(password: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        check_password(password, "some.person")


def test_generated_password_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = iter(["u7sEnf6sxeEwQgH1", "password1234password1234", "Zk4vTq-9cLw2_xRb7mHd0sYu"])
    monkeypatch.setattr(secrets, "token_urlsafe", lambda size: next(offered))
    assert generated_password("admin") == "Zk4vTq-9cLw2_xRb7mHd0sYu"
