"""Pages: the documents as a reader sees them, and the blocks of code in them."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")),
)
TEXTS = {name: (ROOT / name).read_text() for name in PAGES}
SHELL = ""  # a block without a language is for the shell
_FENCE = re.compile(r"^(?:<!-- not run: (?P<why>.+?) -->\n+)?```(?P<name>\w*)\n(?P<body>.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A fenced block: the line that its body begins on, its language, and why it is not run ("" where it is)."""

    page: str
    line: int
    language: str
    body: str
    why: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str) -> list[Block]:
    """The blocks of a page in order."""
    text = TEXTS[page]
    return [
        Block(page, text[: found.start("body")].count("\n") + 1, found["name"], found["body"], found["why"] or "")
        for found in _FENCE.finditer(text)
    ]


ALL = [block for page in PAGES for block in blocks(page)]


def lines(block: Block) -> list[list[str]]:
    """The commands of a shell block, in words, without comments and without variables that are set before them."""
    told = [re.sub(r"\s#.*|^([A-Z_]+=\S+ )+", "", line) for line in block.body.splitlines()]
    parts = [part for line in told for part in re.split(r'(?:&&|\|)(?=(?:[^"]*"[^"]*")*[^"]*$)', line)]  # not in quotes
    return [shlex.split(re.sub(r"\[((?:--|KEY)[^]]*)\](\.\.\.)?", r"\1", part)) for part in parts if part.strip()]


def commands(page: str) -> list[list[str]]:
    """Every `mediagen ...` of a page, in blocks and in the text, without the program's name."""
    told = [words for block in blocks(page) if block.language == SHELL for words in lines(block)]
    told += [shlex.split(text) for text in re.findall(r"`(mediagen [^`]+)`", TEXTS[page])]
    return [words[1:] for words in told if words[0] == "mediagen"]
