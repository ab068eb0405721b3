"""Every campaign, one after the other; a table at the end. Exits with 1 where one of them found anything.

python benchmarks/reliability/all.py [--short] [-o FOLDER] [NAME ...]
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

NAMES = ["kill", "storm", "cancels", "malformed", "mutants", "weights", "bombs", "disk", "schema", "soak"]


def main() -> None:
    """Runs them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all of them by default")
    parser.add_argument("--short", action="store_true", help="some minutes instead of an hour and more")
    parser.add_argument("-o", "--out", type=Path, default=Path("reliability"), help="folder of the figures")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in given.names or NAMES:
        script, target = Path(__file__).with_name(f"{name}.py"), given.out / f"{name}.json"
        target.unlink(missing_ok=True)
        command = [sys.executable, str(script), "-o", str(target), *["--short"] * given.short]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        figures = json.loads(target.read_text()) if target.exists() else {"says": "did not end", "bad": 1, "seconds": 0}
        rows.append(done.returncode == 0)
        word = "ok" if rows[-1] else "FAILED"
        sys.stdout.write(f"{name:10} {word:7} {figures['seconds']:7.0f} s  {figures['says']}\n")
        sys.stdout.flush()
    sys.exit(not all(rows))


if __name__ == "__main__":
    main()
