"""Servers other than the cluster's: where they are, how to sign in, and why they do not answer.

What clients of a Prometheus and of a search engine share. Secrets are in nothing that is shown.
"""

from perfscale.servers.endpoint import (
    Credentials,
    Endpoint,
    SecretVariables,
    chosen_credentials,
    credentials_of,
    split_url,
)

__all__ = [
    "Credentials",
    "Endpoint",
    "SecretVariables",
    "chosen_credentials",
    "credentials_of",
    "split_url",
]
