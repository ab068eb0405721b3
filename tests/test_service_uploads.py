"""Uploads: what is no picture or film is refused, whatever it calls itself, and leaves nothing behind."""

import json
import subprocess
import sys
import zlib

import pytest
from service_toy import ToyEngine, ask, error, finished, serving

from mediagen.sdk.service.intake.decoding import nameless


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    with serving(ToyEngine(), folder, max_upload_mib=1, max_pixels=2**18, decode_seconds=20) as (url, service):
        yield url, service


def upload(url: str, path: str, name: str, data: bytes) -> tuple[int, dict[str, str], bytes]:
    """The answer to a form with a prompt and one file."""
    head = '--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na ball\r\n--x\r\n'
    head += f'Content-Disposition: form-data; name="{name}"; filename="../../a"\r\n\r\n'
    body = head.encode() + data + b"\r\n--x--\r\n"
    return ask(url, "POST", path, body, Content_Type="multipart/form-data; boundary=x")


def bomb(side: int) -> bytes:
    """A png of side x side black pixels, a thousandth of their size."""
    rows = zlib.compress(b"\0" * (side * 3 + 1) * side, 9)

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)

    head = side.to_bytes(4) * 2 + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_uploads_that_are_not_what_they_should_be_are_refused(toy):
    url, service = toy
    film = service.store.path(service.store.file(finished(url)["id"], "video")).read_bytes()
    cases = [
        ("input_reference", b"", 400),
        ("input_reference", b"GIF89a" + b"0" * 99, 400),
        ("input_reference", b"\x89PNG\r\n\x1a\n" + b"0" * 99, 400),
        ("input_reference", b"\xff\xd8\xff" + b"0" * 99, 400),
        ("input_reference", film, 400),
        ("input_reference", bomb(2000), 400),
        ("input_reference", b"\x89PNG" + b"0" * 2**20, 413),
        ("somewhere", bomb(32), 400),
        ("seed", bomb(32), 400),
        ("input_reference", bomb(32), 200),
    ]
    for name, data, expected in cases:
        answer = upload(url, "/v1/videos", name, data)
        assert answer[0] == expected, (data[:12], answer)
    for data, expected in ((film[: len(film) // 2], 400), (film[:40], 400), (bomb(32), 400), (film, 200)):
        answer = upload(url, "/v1/videos/extensions", "video", data)
        assert answer[0] == expected, (data[:12], answer)
        if expected == 400:
            assert str(service.store.folder) not in error(answer)["message"]
    names = {path.suffix for path in service.store.files.iterdir()}
    assert names <= {".mp4", ".webp", ".jpg", ".safetensors"}


def test_no_sentence_names_a_file_of_the_service(tmp_path):
    name = f"{'0a' * 16}.mp4"
    for text in (f"got {name} with no frame", f"[Errno 2] No such file: '{tmp_path / name}'", f"'{tmp_path}' is full"):
        told = nameless(text, tmp_path)
        assert "0a0a" not in told and str(tmp_path) not in told and told.startswith(text.partition("'")[0][:3])


def test_the_decoder_ends_with_the_service_while_it_reads(tmp_path):
    """What is killed while an upload is read must leave nobody who writes into its folder later."""
    slow = (
        "import mediagen.sdk.service.intake.decoding as d; import time; d.decode = lambda _: time.sleep(600); d.main()"
    )
    order = {"seconds": 600, "max_bytes": 2**20, "memory": 2**29}
    decoder = subprocess.Popen([sys.executable, "-c", slow], stdin=subprocess.PIPE)
    decoder.communicate(json.dumps(order).encode() + b"\n", timeout=120)
    assert decoder.returncode == 0
