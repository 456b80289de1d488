"""What strangers write, made fit to be shown: text that is nothing but text.

Nothing here makes it true or kind. It has no control characters, so a terminal shows what it says,
and no marks that turn its direction; whoever puts it into a page escapes it as any other text.
"""

from __future__ import annotations

import unicodedata

_ELLIPSIS = "…"


def clean_text(text: str, limit: int) -> str:
    """A text on one line, composed (NFC), without control and format characters, cut at a length.

    Args:
        text: whatever somebody wrote.
        limit: most characters that are left, the mark of the cut included.
    """
    cut = text[: 4 * limit]
    if not cut.isascii() or not cut.isprintable():
        # Categories C: control, format (direction marks, joiners), surrogates, private, unassigned.
        cut = "".join(
            " " if character.isspace() else character
            for character in unicodedata.normalize("NFC", cut)
            if character.isspace() or unicodedata.category(character)[0] != "C"
        )
        cut = " ".join(cut.split())
    if len(cut) > limit or len(text) > 4 * limit:
        return cut[: limit - 1] + _ELLIPSIS
    return cut
