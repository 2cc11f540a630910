"""Settings in a file, which replace those of the environment: they change without a new deployment.

On Google Cloud the file is the newest version of a secret, mounted into the receiver. Only accounts that deploy can
write it. The callers that may push (project, audience, account) stay in the environment.
"""

from collections.abc import Mapping
from pathlib import Path

from infra.errors import SettingsError
from infra.strict_json import StrictJsonError, parse_object

CHANGEABLE = ("LOG_LEVEL", "MESSAGE_SHARDS", "RETENTION_DAYS", "SUBSCRIPTIONS")
_WANTED = f"wanted: texts for {', '.join(CHANGEABLE)}, and no other setting"


def with_settings_file(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the environment with the settings of the file that SETTINGS_FILE names, if it names one.

    The file is a JSON object with a text for each name of CHANGEABLE: a default in the place of one that was forgotten
    would change how messages are stored. Reading a mounted secret is a call over the network. Raises SettingsError
    naming the file.
    """
    path = environ.get("SETTINGS_FILE", "").strip()
    if not path:
        return environ
    try:
        held = parse_object(Path(path).read_bytes())
    except OSError as exc:
        raise SettingsError(f"SETTINGS_FILE is {path!r}; it cannot be read: {exc.strerror}.") from exc
    except StrictJsonError as exc:
        raise SettingsError(f"SETTINGS_FILE is {path!r}; wanted: a file with one JSON object, but {exc}.") from exc
    if foreign := [name for name in held if name not in CHANGEABLE]:
        raise SettingsError(f"SETTINGS_FILE is {path!r}, with {', '.join(foreign)}; {_WANTED}.")
    if missing := [name for name in CHANGEABLE if not _is_text(held.get(name))]:
        raise SettingsError(f"SETTINGS_FILE is {path!r}, without a text for {', '.join(missing)}; {_WANTED}.")
    return {**environ, **held}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
