"""Refusals: the one shape in which the service says no, that of the OpenAI clients."""

import errno
import json
import sqlite3
from collections.abc import Mapping

from starlette.responses import Response

_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_LONGEST = 600  # characters of a message: what was got may be as long as the body


class Refused(Exception):
    """A request that is not met. status: of HTTP.  code: for programs.  param: the field that is wrong."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """What is sent. A client that would try again is told not to, unless the refusal says when."""
        kind = _TYPES.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")
        text = self.message if len(self.message) <= _LONGEST else self.message[:_LONGEST] + " ..."
        error = {"message": text, "type": kind, "param": self.param, "code": self.code}
        again = "true" if "Retry-After" in self.headers else "false"
        return Response(
            json.dumps({"error": error}),  # ASCII: a lone surrogate in the message must not break the answer
            status_code=self.status,
            media_type="application/json",
            headers={"x-should-retry": again, **self.headers},
        )


def wrong(message: str, code: str | None = None, param: str | None = None) -> Refused:
    """A request that can never be met as it is: 400."""
    return Refused(400, message, code, param)


def of_request(error: Exception) -> Refused:
    """The SDK's own sentence about a request; what stands before its colon is the field."""
    name, colon, rest = str(error).partition(": ")
    if not colon or not name.isidentifier():
        return wrong(str(error), "invalid_value", getattr(error, "field", None))
    name = "size" if name in ("width", "height") else name
    return wrong(f"{name}: {rest}", "invalid_value", name)


def missing(what: str, id: str) -> Refused:
    """404 for an id that is not there."""
    return Refused(404, f"got the {what} '{id[:80]}', which does not exist; check the id.", "not_found")


def disk_full(error: BaseException) -> bool:
    """Whether an error says that there is no room left on the disk."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(error, sqlite3.OperationalError) and "full" in str(error)
