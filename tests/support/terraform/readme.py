"""terraform/README.md and its code blocks."""

import re

from tests.support.terraform.runner import README

TEXT = README.read_text()


def blocks(language: str, text: str = TEXT) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def sections() -> list[str]:
    return re.split(r"^(?=## )", TEXT, flags=re.MULTILINE)


def without_terraform() -> str:
    (found,) = [one for one in sections() if one.startswith("## Without Terraform\n")]
    return found
