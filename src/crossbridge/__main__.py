"""Where the command begins: Ctrl-C while it is being imported ends it as Ctrl-C does later, without a traceback."""


def main() -> None:
    try:
        from crossbridge.cli import main as run  # noqa: PLC0415  (this takes the time)

        run()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
