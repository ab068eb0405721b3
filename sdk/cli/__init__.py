"""The command line: `mediagen` and its commands, a file for each that is long."""

import os


def main() -> None:
    """Runs `mediagen` with the words of the command line."""
    # Before torch is loaded, whose OpenMP reads it once: threads that wait by spinning take the cores from each other
    # as soon as anything else runs on the machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from mediagen.sdk.cli.app import main as run

    run()
