"""About: what is known of public models, and what of them is on this machine; read without torch."""

from dataclasses import dataclass
from pathlib import Path

from mediagen.sdk.errors import ModelError
from mediagen.sdk.hub.known import KNOWN
from mediagen.sdk.hub.layout import INDEX, Layout
from mediagen.sdk.hub.table import ENTRIES

WORDS = {"generate": "words", "picture": "picture", "extend": "goes on", "edit": "edit", "character": "person",
         "sound": "sound"}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """A model: its name, what it can do, its licence, GB on this machine (None: not there), what it lacks there.

    memory: what the model card says that it needs, in words.
    """

    name: str
    can: list[str]
    licence: str
    gigabytes: float | None = None
    lacking: tuple[str, ...] = ()
    memory: str = ""


def models(cache: Path | None = None) -> list[Found]:
    """What is known and what else is in the cache of the hub, those that are there first."""
    here = {name: folder for name, folder in cached(cache).items() if (folder / INDEX).is_file()}
    said = {one.name: f"{one.memory:g} GB, {one.how}" if one.memory else "" for one in KNOWN}
    found = []
    for name, folder in here.items():
        try:
            layout = Layout(folder)
        except ModelError:  # of a class that is not for film or sound
            continue
        can = [WORDS[task] for task in layout.entry.tasks]
        size, lacking = layout.bytes / 1e9, tuple(layout.missing())
        found.append(Found(name, can, layout.licence, size, lacking, said.get(name, "")))
    there = {one.name for one in found}
    for one in KNOWN:
        if one.name not in there:
            entry = ENTRIES[one.pipeline]
            found.append(Found(one.name, [WORDS[task] for task in entry.tasks], entry.licence, memory=said[one.name]))
    return found


def cached(cache: Path | None = None) -> dict[str, Path]:
    """The newest snapshot of each model in the cache of the hub, by name."""
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        scanned = scan_cache_dir(cache)
    except (CacheNotFound, ValueError, OSError):
        return {}
    repos = sorted(scanned.repos, key=lambda repo: repo.repo_id)
    newest = {repo.repo_id: max(repo.revisions, key=lambda one: one.last_modified, default=None) for repo in repos
              if repo.repo_type == "model"}  # fmt: skip
    return {name: Path(revision.snapshot_path) for name, revision in newest.items() if revision is not None}


def overview(folder: Path) -> list[tuple[str, str]]:
    """Lines of (name, what is known about it) for one folder in diffusers' layout."""
    layout = Layout(folder)
    limits = layout.limits
    sizes = ", ".join(f"{width}x{height}" for width, height in limits.all_sizes)
    rates = ", ".join(f"{fps:g}" for fps in limits.all_rates)
    lines = [
        ("folder", str(folder)),
        ("pipeline", f"{layout.name}; {layout.variant or layout.entry.what}"),
        ("can", ", ".join(WORDS[task] for task in layout.entry.tasks)),
        ("weights", f"{layout.bytes / 1e9:.2f} GB" + ("; random, never trained" if layout.random else "")),
        ("licence", layout.licence),
    ]
    if layout.entry.tasks != ["sound"]:
        lines += [
            ("pictures", f"{sizes} pixels at {rates} fps, up to {limits.max_seconds:g} s"),
            ("defaults", f"{limits.steps} steps, guidance {limits.guidance_scale:g}, {limits.seconds:g} s"),
        ]
    return lines + [("lacking", one) for one in layout.missing()]
