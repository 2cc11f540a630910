import pytest

from tests.house.sizes import find_offenders

LINE = "x\n"


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ({"web/a.py": LINE * 250, "tests/test_a.py": LINE * 400}, []),
        ({"web/a.py": LINE * 251}, ["web/a.py: 251 lines; at most 250"]),
        ({"tests/test_a.py": LINE * 401}, ["tests/test_a.py: 401 lines; at most 400"]),
        ({"README.md": LINE * 1000, "web/requirements.txt": LINE * 300}, []),
        ({"web/templates/a.html": "x\n" + "x" * 121}, ["web/templates/a.html:2: 121 characters; at most 120"]),
        ({f"web/a{n}.py": "" for n in range(15)} | {"web/__init__.py": ""}, []),
        ({f"web/a{n}.py": "" for n in range(16)}, ["web/: 16 files; at most 15"]),
        ({f"terraform/a{n}.tf": "" for n in range(16)}, []),
        ({f"terraform/modules/one/a{n}.tf": "" for n in range(16)}, []),
        ({f"tests/web/test_a{n}.py": "" for n in range(16)}, []),
    ],
)
def test_sizes_over_a_limit_are_listed(sources: dict[str, str], expected: list[str]) -> None:
    assert list(find_offenders(sources)) == expected
