"""A wire between a client and a server, which can be cut or slow for a while."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PIECE = 1 << 16


class Wire:
    """Passes what comes to a port of its own on to a server.

    Attributes
    ----------
    port : int
        Where it listens, on 127.0.0.1.
    """

    def __init__(self, host: str, port: int) -> None:
        self._server = host, port
        self._is_cut = False
        self._delay_s = 0.0
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="wire", daemon=True).start()
        listening = self._call(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port: int = listening.sockets[0].getsockname()[1]

    def _call(self, coroutine):  # type: ignore[no-untyped-def]
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.close()
            return
        try:
            theirs, there = await asyncio.open_connection(*self._server)
        except OSError:
            writer.close()
            return
        self._open |= {writer, there}
        await asyncio.gather(self._pass(reader, there), self._pass(theirs, writer))
        self._open -= {writer, there}

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(PIECE):
                if self._delay_s:
                    await asyncio.sleep(self._delay_s)
                sink.write(data)
                await sink.drain()
        sink.close()

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Reset what is open, and refuse what comes."""
        self._is_cut = True
        self._loop.call_soon_threadsafe(self._reset)
        try:
            yield
        finally:
            self._is_cut = False

    def _reset(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    @contextmanager
    def slow(self, delay_s: float) -> Iterator[None]:
        """Let each piece wait."""
        self._delay_s = delay_s
        try:
            yield
        finally:
            self._delay_s = 0.0
