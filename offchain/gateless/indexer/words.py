"""Words for searching: the same cuts for what is stored and for what is asked, in any database."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

#: Longer words are cut: nobody types them, and strangers may write them.
_MAX_WORD = 40
#: Most words of one text that are searched for, and words of a query that count.
MAX_WORDS = 300
MAX_QUERY_WORDS = 8


def words(text: str, limit: int = MAX_WORDS) -> list[str]:
    """The different words of a text in order: letters and digits, folded, without accents."""
    text = text[: limit * (_MAX_WORD + 1)]
    folded = text.lower() if text.isascii() else unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(
        character if character.isalnum() else " "
        for character in folded
        if character < "\x80" or not unicodedata.combining(character)
    )
    return list(dict.fromkeys(word[:_MAX_WORD] for word in kept.split()))[:limit]


def name_words(name: str) -> list[str]:
    """The words of a name, and the name written as one: ``resnet-50`` is found by ``resnet50``."""
    found = words(name)
    whole = "".join(found)[:_MAX_WORD]
    return list(dict.fromkeys([*found, whole])) if whole else []


@lru_cache(maxsize=1 << 14)
def trigrams(word: str) -> frozenset[str]:
    """All runs of three characters of a word between two blanks before and one after it."""
    padded = f"  {word} "
    return frozenset(padded[place : place + 3] for place in range(len(padded) - 2))


def gram_words(found: Iterable[str]) -> list[str]:
    """The trigrams of words, spelled so that no database cuts them up."""
    grams = {gram for word in found for gram in trigrams(word)}
    return sorted("g" + gram.encode().hex() for gram in grams)


def alikeness(asked: Iterable[str], stored: Iterable[str]) -> float:
    """How alike the words asked for are to those stored, from 0 to 1.

    For each word asked for the best match counts: the share of trigrams that both have (Jaccard).
    """
    candidates = [trigrams(word) for word in stored]
    best: list[float] = []
    for word in asked:
        wanted = trigrams(word)
        shares = (len(wanted & found) / len(wanted | found) for found in candidates)
        best.append(max(shares, default=0.0))
    return sum(best) / len(best) if best else 0.0
