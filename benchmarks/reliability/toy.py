"""A nursery of servers with the tests' toy engine: each is a fork of this process, which has imported everything.

So a server starts in a tenth of a second, and can be killed like any other. One line of JSON on stdin for each:
{"folder", "port", "log", "pause", "settings"}; its process id comes back on stdout. All end with the nursery.
"""

import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[2] / "tests"


def main() -> None:
    """Answers orders until stdin ends, then ends what it started."""
    sys.path.insert(0, str(TESTS))
    import PIL.Image
    import service_toy
    import uvicorn  # noqa: F401

    import mediagen.media.read
    import mediagen.media.sheets
    import mediagen.sdk.service.http.app  # noqa: F401

    PIL.Image.init()
    children = []
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are gone at once
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _serve(service_toy.ToyEngine(order["pause"]), order)
        children.append(child)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def _serve(engine: Any, order: dict[str, Any]) -> None:
    from mediagen.sdk.service import program
    from mediagen.sdk.service.settings import Settings

    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number, target in ((os.open(os.devnull, os.O_RDONLY), 0), (log, 1), (log, 2)):
        os.dup2(number, target)
    status, settings = 1, dict(order["settings"])
    others = {name: type(engine)(order["pause"]) for name in settings.pop("others", ())}
    try:
        program.serve(
            engine,
            Path(order["folder"]),
            host="127.0.0.1",
            port=order["port"],
            token=None,
            settings=Settings.of({"poll": 0.02, "max_queue": 100_000, **settings}),
            model="mediagen",
            others=others,
        )
        status = 0
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
