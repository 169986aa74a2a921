"""One API server: configuration as kubectl finds it, requests, streams, exec.

Objects are plain dicts, as the server has them. The ``kubernetes`` package is imported when the first request
is made, in a thread: that takes a second.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from ...model.exceptions import TargetError

TIMEOUT_S = 20.0
SILENT_S = 45.0  # a stream that has been silent for longer is asked for anew: its node or a proxy may be gone
IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_CHANNELS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, ERROR = b"\x00", b"\x01", b"\x02", b"\x03"


class ApiError(Exception):
    """The server refused, in its own words.

    Attributes
    ----------
    status : int
        The HTTP status.
    reason : str
        Kubernetes' word, such as ``NotFound`` or ``Forbidden``.
    """

    def __init__(self, status: int, message: str, reason: str = "", details: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason
        self.details: dict[str, Any] = details or {}


class Unreachable(TargetError):
    """The API server gave no answer: what was asked for may have happened."""


def config_paths(settings: Mapping[str, Any]) -> list[Path]:
    """Return the kubeconfig files that exist, as kubectl looks for them."""
    named = settings.get("kubeconfig") or os.environ.get("KUBECONFIG") or "~/.kube/config"
    found = (Path(part).expanduser() for part in str(named).split(os.pathsep) if part)
    return [path for path in found if path.is_file()]


class Client:
    """Requests to one API server, with the credentials of one context.

    Parameters
    ----------
    settings : mapping
        ``kubeconfig``, ``context`` and ``namespace``, all optional.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings
        self._rest: Any = None
        self._configuration: Any = None
        self._retired: list[Any] = []
        self._loading = asyncio.Lock()
        self.namespace = str(settings.get("namespace") or "")
        self.where = ""

    # -- configuration ---------------------------------------------------------------------------

    async def connect(self, *, refused: Any = None) -> None:
        """Read the configuration, at first use or when the server no longer takes the credentials.

        Parameters
        ----------
        refused : object, optional
            The configuration with which a request was refused; another request may have read a newer one since.

        Raises
        ------
        TargetError
            If there is no configuration, or it can't be used.
        """
        async with self._loading:
            if self._rest is not None and (refused is None or refused is not self._configuration):
                return
            self._locate()
            await asyncio.to_thread(_import)
            from kubernetes.aio import config
            from kubernetes.aio.client import Configuration
            from kubernetes.aio.client.rest import RESTClientObject

            configuration = Configuration()
            try:
                await self._read(config, configuration)
            except (config.ConfigException, OSError, ValueError, KeyError, TypeError) as error:
                raise TargetError(
                    f"The Kubernetes configuration in {self.where} can't be used: {error}",
                    hint="`kubectl config view` shows it; the target's `context` and `kubeconfig` choose another.",
                ) from None
            before, self._configuration = self._configuration, configuration
            if before is None or _secures(before) != _secures(configuration):
                if self._rest is not None:
                    self._retired.append(self._rest)  # streams that it holds go on
                self._rest = RESTClientObject(configuration)

    def _locate(self) -> None:
        """Find out whether there is a configuration, before anything is imported for it."""
        paths = config_paths(self._settings)
        if paths:
            self.where = os.pathsep.join(map(str, paths))
        elif not (os.environ.get("KUBERNETES_SERVICE_HOST") and (IN_CLUSTER / "token").exists()):
            named = self._settings.get("kubeconfig") or os.environ.get("KUBECONFIG") or "~/.kube/config"
            raise TargetError(
                f"There is no Kubernetes cluster: {named} doesn't exist, and this is no pod with a service account.",
                hint="Set KUBECONFIG, or `kubeconfig` of the target in jupyter_hpc_config.json. `%%local` works now.",
            )

    async def _read(self, config: Any, configuration: Any) -> None:
        paths = config_paths(self._settings)
        if paths:
            context = self._settings.get("context")
            loader = await config.load_kube_config(self.where, context, configuration, persist_config=False)
            chosen = loader.current_context
            self.namespace = self.namespace or chosen["context"].get("namespace") or "default"
            self.where = f"{self.where}, context {chosen['name']}"
        else:
            self.where = "this pod's service account"
            config.load_incluster_config(configuration)
            self.namespace = self.namespace or (IN_CLUSTER / "namespace").read_text().strip()

    async def close(self) -> None:
        for rest in (self._rest, *self._retired):
            if rest is not None:
                await rest.close()
        self._rest = self._configuration = None
        self._retired.clear()

    # -- requests --------------------------------------------------------------------------------

    async def _headers(self) -> dict[str, str]:
        token = (await self._configuration.auth_settings()).get("BearerToken", {}).get("value")
        return {"Accept": "application/json", **({"Authorization": token} if token else {})}

    async def _open(self, method: str, path: str, query: Mapping[str, Any], body: Any, kind: str, timeout: Any) -> Any:
        """Return the open response; a 401 makes the configuration be read again, once."""
        import aiohttp

        await self.connect()
        for attempt in (1, 2):
            configuration = self._configuration
            url = self._configuration.host + path + (f"?{urlencode(query, doseq=True)}" if query else "")
            headers = {**await self._headers(), **({"Content-Type": kind} if body is not None else {})}
            try:
                answer = await self._rest.request(method, url, headers, body, _request_timeout=timeout)
            except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
                raise self._unreachable(error) from None
            response = answer.response
            if response.status == 401 and attempt == 1:
                response.release()
                await self.connect(refused=configuration)
                continue
            if response.status >= 400:
                raise _refusal(response.status, await response.read())
            return response
        raise AssertionError("unreachable")  # the second attempt returns or raises

    def _unreachable(self, error: BaseException) -> Unreachable:
        host = getattr(self._configuration, "host", "")
        return Unreachable(
            f"The Kubernetes API server at {host} doesn't answer: {str(error) or type(error).__name__}.",
            hint=f"It was found in {self.where}. Jobs that run go on.",
        )

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        kind: str = "application/json",
        timeout_s: float = TIMEOUT_S,
    ) -> Any:
        """Make one request and return the object.

        Raises
        ------
        ApiError
            If the server refuses.
        Unreachable
            If it doesn't answer.
        """
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=timeout_s) if self._rest else timeout_s
        response = await self._open(method, path, query or {}, body, kind, timeout)
        try:
            return json.loads(await response.read())
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            raise self._unreachable(error) from None

    async def lines(self, path: str, query: Mapping[str, Any], silent_s: float) -> AsyncIterator[bytes]:
        """Yield the lines of a stream (a watch or a log) as they come; the last may lack its line end.

        Raises
        ------
        ApiError, Unreachable
            As for :meth:`request`; ``Unreachable`` also when nothing came for ``silent_s`` seconds.
        """
        import aiohttp

        await self.connect()
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=silent_s)
        response = await self._open("GET", path, query, None, "", timeout)
        pending = b""
        try:
            async for chunk in response.content.iter_any():
                *whole, pending = (pending + chunk).split(b"\n")
                for line in whole:
                    yield line
            if pending:
                yield pending
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            raise self._unreachable(error) from None
        finally:
            response.close()

    async def exec(self, namespace: str, pod: str, container: str, command: Sequence[str]) -> Exec:
        """Start a command in a container.

        Raises
        ------
        ApiError, Unreachable
            If it can't be started.
        """
        import aiohttp

        await self.connect()
        query: dict[str, Any] = {
            "container": container,
            "command": list(command),
            "stdin": "true",
            "stdout": "true",
            "stderr": "true",
        }
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/exec?{urlencode(query, doseq=True)}"
        if self._rest.pool_manager is None:
            await self.request("GET", "/version")
        try:
            socket = await self._rest.pool_manager.ws_connect(
                self._configuration.host.replace("http", "ws", 1) + path,
                headers=await self._headers(),
                protocols=_CHANNELS,
                heartbeat=20.0,
                max_msg_size=0,
                server_hostname=self._configuration.tls_server_name,
                proxy=self._configuration.proxy,
            )
        except aiohttp.WSServerHandshakeError as error:
            raise ApiError(error.status, f"exec in {pod} was refused: HTTP {error.status}", "Exec") from None
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            raise self._unreachable(error) from None
        return Exec(socket, self)


class Exec:
    """A command that runs in a container: bytes in, bytes out."""

    def __init__(self, socket: Any, client: Client) -> None:
        self._socket = socket
        self._client = client
        self.errors = b""
        self._buffer = bytearray()
        self._over = False

    async def __aenter__(self) -> Exec:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()

    async def send(self, data: bytes | memoryview) -> None:
        try:
            await self._socket.send_bytes(STDIN + bytes(data))
        except (OSError, RuntimeError) as error:  # aiohttp raises both when the connection is going down
            raise self._client._unreachable(error) from None

    async def _fill(self) -> None:
        """Take the next message of the server.

        Raises
        ------
        Unreachable
            If the connection broke, or nothing came for long.
        """
        import aiohttp

        try:
            message = await self._socket.receive(SILENT_S)
        except (asyncio.TimeoutError, TimeoutError, OSError) as error:
            raise self._client._unreachable(error) from None
        if message.type not in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
            self._over = True
            return
        data = message.data if isinstance(message.data, bytes) else message.data.encode()
        channel, content = data[:1], data[1:]
        if channel == STDOUT:
            self._buffer += content
        elif channel == STDERR:
            self.errors += content
        elif channel == ERROR:
            self._over = True
            if b'"Success"' not in content:
                self.errors += content

    async def read(self, n: int) -> bytes:
        """Return ``n`` bytes, fewer only at the end; a message holds a few kilobytes."""
        while len(self._buffer) < n and not self._over:
            await self._fill()
        found = bytes(self._buffer[:n])
        del self._buffer[:n]
        return found

    async def line(self) -> bytes:
        """Return the next line without its end; empty at the end."""
        while (at := self._buffer.find(b"\n")) < 0 and not self._over:
            await self._fill()
        at = len(self._buffer) if at < 0 else at
        found = bytes(self._buffer[:at])
        del self._buffer[: at + 1]
        return found


def _secures(configuration: Any) -> tuple[Any, ...]:
    """Return what a session keeps of a configuration; a token goes into each request."""
    names = ("host", "ssl_ca_cert", "cert_file", "key_file", "verify_ssl", "tls_server_name", "proxy")
    return tuple(getattr(configuration, name, None) for name in names)


def _import() -> None:
    try:
        import kubernetes.aio.client
        import kubernetes.aio.config  # noqa: F401 imported here, used in the loop
    except ImportError as error:
        raise TargetError(
            f"The kubernetes package can't be imported: {error}.", hint="pip install kubernetes"
        ) from None


def _refusal(status: int, data: bytes) -> ApiError:
    try:
        found = json.loads(data)
        return ApiError(status, str(found["message"]), str(found.get("reason") or ""), found.get("details"))
    except (ValueError, KeyError, TypeError):
        return ApiError(status, data.decode(errors="replace").strip()[:500] or f"HTTP {status}")
