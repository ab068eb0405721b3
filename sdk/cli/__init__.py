"""The command line: `mediagen` and its commands, a file for each that is long."""


def main() -> None:
    """Runs `mediagen` with the words of the command line."""
    from mediagen.sdk.cli.app import main as run

    run()
