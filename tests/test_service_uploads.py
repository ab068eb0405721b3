"""Uploads: what is no picture or film is refused, whatever it calls itself, and leaves nothing behind."""

import zlib

import pytest
from service_toy import ToyEngine, ask, error, finished, serving


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
