"""The destinations of live results: standard output, Lab Streaming Layer, OSC, ZeroMQ and WebSocket."""

import json
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final

from vlfau._version import version
from vlfau.errors import ConfigError, MissingExtraError
from vlfau.inference.bundle import BundleInfo
from vlfau.inference.results import FaceResult
from vlfau.runs.live import Destination, LiveFrame, Sender

if TYPE_CHECKING:
    from websockets.sync.server import ServerConnection

__all__ = ["open_sender"]

_POSE: Final = ("yaw", "pitch", "roll")
_WAITING_MESSAGES: Final = 64
"""Per WebSocket client; a slower one loses the oldest."""
_LOCAL_PAGE: Final = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")


def open_sender(destination: Destination, model: BundleInfo, *, max_faces: int | None) -> Sender:
    """Open a destination.

    Raises:
        ConfigError: The address is in use or cannot be reached.
        MissingExtraError: The package that it needs is not installed.
    """
    try:
        return _SENDERS[destination.kind](destination, model, max_faces)
    except ModuleNotFoundError as error:
        raise MissingExtraError((error.name or destination.kind).partition(".")[0], "live") from None
    except OSError as error:
        raise ConfigError(
            f"--live cannot use {destination.kind}://{destination.host}:{destination.port} "
            f"({error.strerror or error}); choose another address or port"
        ) from None


class _StandardOutput:
    """Writes a JSON object per line for each row; `|` passes them on at once."""

    def send(self, frame: LiveFrame) -> None:
        for line in _json_rows(frame):
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def close(self) -> None:
        pass


class _Lsl:
    """One outlet per face: its number, its head pose and all probabilities; nothing but NaN while it has no face.

    A face keeps its outlet while it is tracked. A new face takes the first that is free.
    """

    def __init__(self, destination: Destination, model: BundleInfo, faces: int) -> None:
        import pylsl

        self._pylsl = pylsl
        self._au_ids = model.au_ids
        self._face_ids: list[int | None] = [None] * faces
        self._outlets = []
        labels = ["face", *_POSE, *(f"AU{au_id}_prob" for au_id in model.au_ids)]
        for number in range(1, faces + 1):
            name = destination.name if faces == 1 else f"{destination.name}-{number}"
            info = pylsl.StreamInfo(name, "ActionUnits", len(labels), 0, pylsl.cf_float32, f"vlfau-{name}")
            info.desc().append_child_value("manufacturer", f"vlfau {version()}")
            info.desc().append_child_value("model", str(model.identity()["name"]))
            channels = info.desc().append_child("channels")
            for label in labels:
                channel = channels.append_child("channel")
                channel.append_child_value("label", label)
                channel.append_child_value("unit", "degrees" if label in _POSE else "")
            self._outlets.append(pylsl.StreamOutlet(info))

    def send(self, frame: LiveFrame) -> None:
        captured_s = self._pylsl.local_clock() - (frame.age_s or 0.0)
        for outlet, face in zip(self._outlets, self._placed(frame.result.faces), strict=True):
            outlet.push_sample(self._sample(face), captured_s)

    def close(self) -> None:
        self._outlets.clear()

    def _placed(self, faces: Sequence[FaceResult]) -> list[FaceResult | None]:
        """Return the face of every outlet."""
        present = {number if face.face_id is None else face.face_id: face for number, face in enumerate(faces, 1)}
        self._face_ids = [face_id if face_id in present else None for face_id in self._face_ids]
        for face_id in present:
            if face_id not in self._face_ids and None in self._face_ids:
                self._face_ids[self._face_ids.index(None)] = face_id
        return [None if face_id is None else present[face_id] for face_id in self._face_ids]

    def _sample(self, face: FaceResult | None) -> list[float]:
        if face is None:
            return [float("nan")] * (1 + len(_POSE) + len(self._au_ids))
        number = 1 if face.face_id is None else face.face_id
        return [float(number), *(getattr(face.pose, name) for name in _POSE), *map(float, face.probs)]


class _Osc:
    """A bundle per frame: /vlfau/frame, then /vlfau/face/1/AU12 with probability and state, and /vlfau/face/1/pose."""

    def __init__(self, destination: Destination) -> None:
        from pythonosc.osc_bundle_builder import OscBundleBuilder
        from pythonosc.osc_message_builder import OscMessageBuilder
        from pythonosc.udp_client import UDPClient

        self._bundle: Any = OscBundleBuilder  # Its time is declared as a whole number, which would be too coarse.
        self._message = OscMessageBuilder
        self._client = UDPClient(destination.host, destination.port)

    def send(self, frame: LiveFrame) -> None:
        # The builder expects seconds since 1970 and converts them to those since 1900.
        bundle = self._bundle(time.time() - (frame.age_s or 0.0))
        faces, number = frame.result.faces, frame.result.frame
        self._add(bundle, "/vlfau/frame", -1 if number is None else number, frame.result.time_s or 0.0, len(faces))
        for index, face in enumerate(faces, start=1):
            at = f"/vlfau/face/{index if face.face_id is None else face.face_id}"
            self._add(bundle, f"{at}/pose", *(float(getattr(face.pose, name)) for name in _POSE))
            for au in face.aus:
                self._add(bundle, f"{at}/{au.label}", float(au.prob), int(au.state))
        with suppress(OSError):  # Nobody listens there yet.
            self._client.send(bundle.build())

    def close(self) -> None:
        self._client._sock.close()

    def _add(self, bundle: Any, address: str, *values: float) -> None:
        message = self._message(address)
        for value in values:
            message.add_arg(value)
        bundle.add_content(message.build())


class _Zmq:
    """Publishes each row as a message of two parts: the topic `vlfau`, and the row as JSON."""

    def __init__(self, destination: Destination) -> None:
        import zmq

        self._socket: Any = zmq.Context.instance().socket(zmq.PUB)
        self._socket.setsockopt(zmq.LINGER, 200)
        try:
            self._socket.bind(f"tcp://{destination.host}:{destination.port}")
        except zmq.ZMQError as error:
            self._socket.close()
            raise OSError(error.errno, str(error)) from None

    def send(self, frame: LiveFrame) -> None:
        for line in _json_rows(frame):
            self._socket.send_multipart([b"vlfau", line.encode()])

    def close(self) -> None:
        self._socket.close()


class _WebSocket:
    """Serves each row as a JSON text to every client; a page of another site is refused."""

    def __init__(self, destination: Destination) -> None:
        from websockets.exceptions import ConnectionClosed
        from websockets.sync.server import serve

        self._closed = ConnectionClosed
        self._clients: set[Queue[str | None]] = set()
        self._lock, self._is_closing = Lock(), False
        self._server = serve(
            self._serve, destination.host, destination.port, origins=[None, _LOCAL_PAGE], compression=None
        )
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def send(self, frame: LiveFrame) -> None:
        with self._lock:
            clients = list(self._clients)
        for line in _json_rows(frame) if clients else ():
            for client in clients:
                _put(client, line)

    def close(self) -> None:
        with self._lock:
            self._is_closing = True
            for client in self._clients:
                _put(client, None)
        self._server.shutdown()
        self._thread.join()

    def _serve(self, connection: "ServerConnection") -> None:
        waiting: Queue[str | None] = Queue(_WAITING_MESSAGES)
        with self._lock:
            if self._is_closing:  # Nobody would end this client's wait.
                return
            self._clients.add(waiting)
        try:
            while (line := waiting.get()) is not None:
                connection.send(line)
        except self._closed:
            pass
        finally:
            with self._lock:
                self._clients.discard(waiting)


def _put(queue: "Queue[str | None]", line: str | None) -> None:
    """Add a line to a queue; a full one loses its oldest."""
    while True:
        with suppress(Full):
            queue.put_nowait(line)
            return
        with suppress(Empty):
            queue.get_nowait()


def _json_rows(frame: LiveFrame) -> list[str]:
    return [json.dumps(row, ensure_ascii=False, allow_nan=False) for row in frame.rows]


_SENDERS: Final[Mapping[str, Callable[[Destination, BundleInfo, int | None], Sender]]] = {
    "-": lambda destination, model, max_faces: _StandardOutput(),
    "lsl": lambda destination, model, max_faces: _Lsl(destination, model, max_faces or 1),
    "osc": lambda destination, model, max_faces: _Osc(destination),
    "zmq": lambda destination, model, max_faces: _Zmq(destination),
    "ws": lambda destination, model, max_faces: _WebSocket(destination),
}
