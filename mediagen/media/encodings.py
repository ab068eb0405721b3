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
    """The text in `raw`, without marks, NULs and white space around it, and with the line ends of Unix.

    UTF-8, or what its mark at the start says, or UTF-16 where every second byte is 0. Raises UnicodeDecodeError for
    other bytes: cp1252, GBK and Shift JIS cannot be told apart, and a wrong guess would go unseen.
    """
    coding = next((name for mark, name in _MARKS if raw.startswith(mark)), "utf-8")
    if coding == "utf-8" and len(raw) > 3 and raw.rstrip(b"\0").count(0) > len(raw) // 3:
        coding = "utf-16-le" if raw[1::2].count(0) > raw[::2].count(0) else "utf-16-be"
    text = raw.decode(coding)
    return "\n".join(text.replace("\ufeff", "").replace("\0", "").splitlines()).strip()


def printable(text: str) -> str:
    """Text in which surrogates stand for bytes that are no UTF-8, as people can read it: those bytes as Latin-1."""
    return (
        "".join(chr(ord(letter) - 0xDC00) if 0xDC80 <= ord(letter) <= 0xDCFF else letter for letter in text)
        .encode("utf-8", "replace")
        .decode()
    )
