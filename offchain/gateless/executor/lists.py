"""Whom and what an operator wants, and whom and what not. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gateless.core.ids import split_version_id


@dataclass(frozen=True, slots=True)
class Lists:
    """Allow and deny lists; what is denied is denied, whatever else allows it.

    Attributes:
        allow_requesters: the only accounts that are worked for; empty for all.
        deny_requesters: accounts that are not worked for.
        deny_models: model ids whose versions are not served.
        deny_versions: version ids that are not served.
    """

    allow_requesters: frozenset[str] = frozenset()
    deny_requesters: frozenset[str] = frozenset()
    deny_models: frozenset[int] = frozenset()
    deny_versions: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        for name in ("allow_requesters", "deny_requesters"):
            lower = frozenset(account.lower() for account in getattr(self, name))
            object.__setattr__(self, name, lower)

    def denies_version(self, version_id: int) -> bool:
        """Whether a version is not served."""
        return (
            version_id in self.deny_versions or split_version_id(version_id)[0] in self.deny_models
        )

    def refusal(self, version_id: int, requester: str) -> str:
        """Why a request is not wanted; empty where it is."""
        account = requester.lower()
        if self.denies_version(version_id):
            return f"version {version_id} is on this executor's deny list"
        if account in self.deny_requesters:
            return f"{requester} is on this executor's deny list"
        if self.allow_requesters and account not in self.allow_requesters:
            return f"{requester} is not on this executor's allow list"
        return ""
