"""Settings of a viewer that reads a local Firestore."""

from infra.settings import ViewerSettings, viewer_settings

SUBSCRIPTION = "builds"


def settings_for(address: str, **environ: str) -> ViewerSettings:
    """Return the viewer's settings with the Firestore at ``address``."""
    return viewer_settings(environ_for(address) | environ)


def environ_for(address: str) -> dict[str, str]:
    """Return the viewer's environment with the Firestore at ``address``."""
    return {
        "GOOGLE_CLOUD_PROJECT": "subscope-test",
        "PUSH_AUDIENCE": "https://receiver.example/push",
        "PUSH_SERVICE_ACCOUNT": "push@subscope-test.iam.gserviceaccount.com",
        "SUBSCRIPTIONS": SUBSCRIPTION,
        "PUSH_ENDPOINT": "https://receiver.example/push",
        "SECRET_KEY": "k" * 32,
        "FIRESTORE_EMULATOR_HOST": address,
    }
