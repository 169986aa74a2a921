"""``jupyter hpc``: the same commands in a shell."""

from __future__ import annotations

import io
import sys
import traceback
from collections.abc import Sequence

from ..model.exceptions import HPCError
from ..model.printable import printable
from . import catalogue as commands


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):  # a terminal may not know every character, and names may be no text
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if not words:
        print(commands.short_map("jupyter hpc"))
        return 0
    if words[0] in ("-h", "--help"):
        print(commands.overview("jupyter hpc"))
        return 0
    try:
        name, arguments = commands.parse(words, "jupyter hpc")
        if getattr(arguments, "text", None):
            print(arguments.text)
            return 0
        if name == "logs" and arguments.follow:
            return _follow(arguments.run)
        print(commands.COMMANDS[name].answer(arguments))
    except (HPCError, TimeoutError) as error:
        print(f"jupyter hpc: {printable(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # | head
        return 0
    except Exception as error:  # what a cell raised may say anything
        print(printable("".join(traceback.format_exception(error))), end="", file=sys.stderr)
        return 1
    return 0


def _follow(run: str) -> int:
    from ..jobs.job import Job
    from ..rundir.reader import reader_of
    from ..rundir.store import store
    from ..views.ansi import Colours

    job = Job(store().find(run))
    reader = reader_of(job.run)
    streams = {
        "stdout": (sys.stdout, Colours()),
        "stderr": (sys.stderr, Colours()),
        "traceback": (sys.stderr, Colours()),
    }
    while True:
        ended = job.wait(0.5)
        for output in reader.poll(everything=ended):
            if output.kind in streams:
                stream, colours = streams[output.kind]
                stream.write(colours.add(output.text))
                stream.flush()
        if ended:
            for stream, colours in streams.values():
                stream.write(colours.end())
            return 0


if __name__ == "__main__":
    sys.exit(main())
