"""Webhooks: whoever asked for it is told when a job ends, signed, and again until it is heard.

Signatures are those of https://www.standardwebhooks.com, which the OpenAI client checks by `client.webhooks.unwrap`.
What is to be told is a row, written by the change that ends a job; so no kill in between loses it.
"""

import base64
import hashlib
import hmac
import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from mediagen.sdk.errors import RequestError
from mediagen.sdk.service.intake.outside import NotReached, address_of, asked, place_of
from mediagen.sdk.service.queue.rows import Delivery
from mediagen.sdk.service.queue.store import Store
from mediagen.sdk.service.refusals import Refused, wrong
from mediagen.sdk.service.settings import Settings

log = logging.getLogger("mediagen.service")
PAUSES = (5.0, 60.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 36000.0)  # seconds between tries, as the scheme advises
_PATIENCE = 15.0  # seconds that one try may take
_LOOK = 3.0  # seconds to look up a name at the door
_SIDE_BY_SIDE = 8
_GONE = 410  # the answer of a receiver that wants no more
_LONGEST = 2000  # characters of a URL


def key_of(secret: str) -> bytes:
    """The key of a secret, "whsec_" and base64; RequestError for one that is none, or too short to be safe."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True) if secret.startswith("whsec_") else b""
    except ValueError:
        key = b""
    if len(key) < 24:
        raise RequestError(
            "got a webhook secret that is no 'whsec_' and base64 of 24 bytes or more; make one with: "
            "python -c \"import base64, os; print('whsec_' + base64.b64encode(os.urandom(32)).decode())\"."
        )
    return key


def signed(key: bytes, id: str, body: bytes, now: float) -> dict[str, str]:
    """The headers of a delivery at a time (Unix seconds)."""
    stamp = str(int(now))
    digest = hmac.new(key, f"{id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def checked(given: object, settings: Settings) -> str | None:
    """The URL to tell of a job: the request's, or the server's own; Refused for one that is never asked."""
    if given in (None, ""):
        return settings.webhook_url or None
    if not settings.webhook_secret:
        raise wrong(
            "webhook_url: got one, but this server has no secret to sign by; leave it out and look at the job.",
            "webhooks_off",
            "webhook_url",
        )
    if not isinstance(given, str) or len(given) > _LONGEST:
        raise _not_told("it is no URL")
    try:
        address_of(place_of(given), time.monotonic() + _LOOK)
    except NotReached as error:
        raise _not_told(str(error)) from None
    return given


class Outbox:
    """What a store has to tell; the database itself adds to it, where a job ends."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def due(self, limit: int) -> list[Delivery]:
        """Up to `limit` deliveries whose time has come, the oldest first."""
        query = "SELECT * FROM deliveries WHERE due <= ? ORDER BY due LIMIT ?"
        return [Delivery(**dict(row)) for row in self._store.rows(query, time.time(), limit)]

    def told(self, id: str) -> None:
        """Forgets a delivery that was heard, or is given up."""
        with self._store.change() as db:
            db.execute("DELETE FROM deliveries WHERE id = ?", (id,))

    def again(self, id: str, due: float) -> None:
        """Puts a delivery off."""
        with self._store.change() as db:
            db.execute("UPDATE deliveries SET tries = tries + 1, due = ? WHERE id = ?", (due, id))


class Webhooks:
    """Delivers what a store has to tell, in a thread of its own."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.outbox, self.settings = Outbox(store), settings
        self._key = key_of(settings.webhook_secret) if settings.webhook_secret else b""
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="mediagen-webhooks", daemon=True)

    def start(self) -> None:
        """Starts the thread, where there is a secret to sign by."""
        if self._key:
            self._thread.start()

    def stop(self) -> None:
        """Ends it; what was not told is told after the next start."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE + 1)

    def _work(self) -> None:
        with ThreadPoolExecutor(_SIDE_BY_SIDE, "mediagen-webhook") as pool:
            while not self._ending.wait(self.settings.poll):
                try:
                    list(pool.map(self.deliver, self.outbox.due(_SIDE_BY_SIDE)))
                except Exception:  # a full disk, say: it may have room again later
                    log.exception("webhooks cannot be sent; they are tried again")
                    self._ending.wait(2)

    def deliver(self, one: Delivery) -> None:
        """Tells once; writes down what came of it."""
        event = {"id": one.id, "object": "event", "created_at": int(one.created), "type": f"video.{one.status}"}
        body = json.dumps({**event, "data": {"id": one.job}}).encode()
        try:
            end, headers = time.monotonic() + _PATIENCE, signed(self._key, one.id, body, time.time())
            # A URL of the server's own settings is its operator's word, and may lead inside.
            trusted = one.url == self.settings.webhook_url
            with asked(one.url, end, "POST", body, headers, trusted=trusted) as answer:
                status = answer.status
        except NotReached as error:
            status = 0
            log.info("webhook %s of job %s: %s", one.id, one.job, error)
        if 200 <= status < 300 or status == _GONE or one.tries >= len(PAUSES):
            if not 200 <= status < 300:
                log.warning("webhook %s of job %s is given up after %d tries", one.id, one.job, one.tries + 1)
            self.outbox.told(one.id)
        else:
            self.outbox.again(one.id, time.time() + PAUSES[one.tries])


def _not_told(why: str) -> Refused:
    return wrong(f"webhook_url: got a URL that is not asked: {why}.", "invalid_url", "webhook_url")
