"""Settings in a file, which replace those of the environment: they change without a new deployment.

On Google Cloud the file is the newest version of a secret, mounted into the receiver. Only accounts that deploy can
write it. The callers that may push (project, audience, account) stay in the environment.
"""

from collections.abc import Mapping
from pathlib import Path

from infra.errors import SettingsError
from infra.strict_json import StrictJsonError, parse_object

CHANGEABLE = ("LOG_LEVEL", "MESSAGE_SHARDS", "RETENTION_DAYS", "SUBSCRIPTIONS")


def with_settings_file(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the environment with the settings of the file that SETTINGS_FILE names, if it names one.

    The file is a JSON object of texts: ``{"SUBSCRIPTIONS": "builds,orders", "RETENTION_DAYS": "30"}``. Reading a
    mounted secret is a call over the network. Raises SettingsError naming the file.
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
    if wrong := [name for name, value in held.items() if name not in CHANGEABLE or not isinstance(value, str)]:
        raise SettingsError(
            f"SETTINGS_FILE is {path!r}, with {', '.join(wrong)}; wanted: texts for any of {', '.join(CHANGEABLE)}."
        )
    return {**environ, **held}
