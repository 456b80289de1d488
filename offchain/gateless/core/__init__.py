"""Types, errors and encodings shared by every process. No I/O happens here."""
