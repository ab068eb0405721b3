"""Fetching a picture that a request names by its URL."""

import io
import time
from typing import IO
from urllib.parse import urljoin

from mediagen.sdk.service.intake.outside import NotReached, asked, read
from mediagen.sdk.service.refusals import Refused, wrong

_HOPS = 4  # requests of one fetch: the first, and three redirects
_PATIENCE = 20.0  # seconds that a whole fetch may take


def fetch(url: str, max_bytes: int, field: str = "input_reference") -> IO[bytes]:
    """The file at a URL, which stood in a field of a form.

    Refused for addresses that are not public, for files above `max_bytes`, and for failures.
    """
    end = time.monotonic() + _PATIENCE
    try:
        for _ in range(_HOPS):
            with asked(url, end) as answer:
                moved = answer.getheader("location")
                if answer.status in (301, 302, 303, 307, 308) and moved:
                    url = urljoin(url, moved)  # checked like the first: it may lead inside
                    continue
                if answer.status != 200:
                    raise NotReached(f"its server answered {answer.status}")
                data = read(answer, end, max_bytes)
                if data is None:
                    raise Refused(413, f"got a file above {max_bytes} bytes at the URL, expected less.", "too_large")
                return io.BytesIO(data)
    except NotReached as error:
        raise _failed(field, str(error)) from None
    raise _failed(field, "it leads to ever more addresses")


def _failed(field: str, why: str) -> Refused:
    return wrong(f"{field}: got a URL that is not fetched: {why}.", "invalid_url", field)
