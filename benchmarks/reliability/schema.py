"""schemathesis (extra `reliability`) over the service's own OpenAPI document.

    python benchmarks/reliability/schema.py [--short] -o schema.json

Its checks: no 5xx but the 501 of models that are not there, and answers as the document says, from 127.0.0.1 alone.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from served import Server, main, toys

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
CONFIG = '[checks]\nnot_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "501"]\n'


def schema(server: Server, examples: int, seconds: int) -> dict[str, Any]:
    """Figures of up to `examples` cases for each route, in `seconds` at most."""
    url = f"http://127.0.0.1:{server.port}/openapi.json"
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "schemathesis.toml").write_text(CONFIG)
        command = ["schemathesis", "run", url, "--checks", CHECKS, "--max-examples", str(examples), "--seed", "1",
                   "--max-time", str(seconds), "--phases", "examples,coverage,fuzzing", "--no-shrink",
                   "--continue-on-failure", "--generation-database", "none", "--suppress-health-check", "all",
                   "--no-color"]  # fmt: skip
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=seconds + 300, check=False)
    cases = sum(int(count) for count in re.findall(r"(\d+) generated", done.stdout))
    alive = server.ask("GET", "/healthz")[0] == 200
    return {
        "cases": cases,
        "report": [line for line in done.stdout.splitlines() if line.startswith(("- ", "  ", "___"))][-80:],
        "bad": (done.returncode != 0) + (not alive),
        "says": f"{'no' if done.returncode == 0 else 'a'} failure in {cases} cases",
    }


def run(*, examples: int, seconds: int) -> dict[str, Any]:
    """The campaign on a server of its own."""
    with toys(0.0) as (server,):
        return schema(server, examples, seconds)


if __name__ == "__main__":
    main(__doc__ or "", {"examples": 5, "seconds": 30}, {"examples": 200, "seconds": 600}, run)
