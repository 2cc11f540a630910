"""The JSON API, its OpenAPI description, and exports."""
