"""The commands of ``python -m infra``: each works on the local cloud and on Google Cloud alike."""
