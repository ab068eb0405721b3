"""Text of strangers: bytes in any of the encodings that programs write."""

import codecs

_MARKS = (  # longest first: the mark of UTF-16 begins that of UTF-32
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decoded(raw: bytes) -> str:
    """The text in `raw`, without marks, NULs and white space around it, and with the line ends of Unix; never raises.

    UTF-8, or what its mark at the start says, or UTF-16 where every second byte is 0; else Windows' cp1252, where the
    few bytes that it lacks are read as Latin-1.
    """
    coding = next((name for mark, name in _MARKS if raw.startswith(mark)), None)
    if coding is None and len(raw) > 3 and raw.rstrip(b"\0").count(0) > len(raw) // 3:
        coding = "utf-16-le" if raw[1::2].count(0) > raw[::2].count(0) else "utf-16-be"
    if coding is None:
        coding = "utf-8"
    try:
        text = raw.decode(coding, "strict" if coding == "utf-8" else "replace")
    except UnicodeDecodeError:
        text = "".join(_letter(byte) for byte in raw)
    return "\n".join(text.replace("\ufeff", "").replace("\0", "").splitlines()).strip()


def _letter(byte: int) -> str:
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


def printable(text: str) -> str:
    """Text whose bytes were no UTF-8 (surrogates stand for them), as people can read it."""
    try:
        return decoded(text.encode("utf-8", "surrogateescape")) if not text.isascii() else text
    except UnicodeEncodeError:  # half a character, as JSON can hold it
        return text.encode("utf-8", "replace").decode()
