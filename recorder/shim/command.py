"""A shell on its way: what comes before it runs, recorded, or in place of this process."""

from __future__ import annotations

import os
import time

from traceproof.recorder.shim import environment, link, proc, relay, sockets, terminal
from traceproof.recorder.shim.body import Body, end, keep_only
from traceproof.recorder.shim.descriptors import CLOSED, Descriptor, standard
from traceproof.recorder.shim.forked import ForkedBody
from traceproof.recorder.shim.plan import Plan
from traceproof.recorder.shim.streams import Streams

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


class Command:
    """A shell that an agent asked for.

    Args:
        settings: What `install` wrote into the program.
        originals: What the user's environment had where the hook has put something else.
        body: The process that is to be the shell.

    Attributes:
        relay: The pid of the relay; 0: there is none.
        terminal: Whether the shell has a terminal of ours.
    """

    def __init__(
        self,
        settings: dict[str, str],
        originals: dict[bytes, bytes | None],
        body: Body | ForkedBody,
    ) -> None:
        self._settings = settings
        self._body = body
        self.relay = 0
        self.terminal = False
        self._arguments = body.arguments
        real = os.fsencode(settings["real"])
        if settings["hook"] == "prefix":
            self._arguments = [real, b"-c", *body.arguments[1:]]
        elif body.arguments[:1] == [os.fsencode(settings["launcher"])]:
            self._arguments = [real, *body.arguments[1:]]
        folder = os.fsencode(settings["folder"])
        self._environment = environment.restored(body.environment, folder, originals)

    def prepare(self, began: int) -> sockets.Socket | None:
        """Let the shell loose, with its output relayed.

        Args:
            began: When this process began, in Unix nanoseconds.

        Returns:
            The socket to the relay; none: it is not to be recorded.

        Raises:
            OSError: something the recording needs could not be had.
            ValueError: the recorder speaks another protocol.
        """
        if self._settings["starter"] == str(self._body.outer.parent):
            self._environment = self._body.environment
            return None
        three = standard()
        _hold(three)
        until = time.monotonic() + link.PATIENCE  # from here: a busy machine is no slow recorder
        recorder = sockets.connect(self._settings["socket"], link.PATIENCE)
        streams = Streams(three[1], three[2], terminal.of(three, self._body.outer.pid))
        link.say_hello(recorder, self._hello(three, streams), began)
        ours, relays = sockets.pair()
        self.relay = relay.start(streams, recorder, relays, self._body.pid, self._body.outer.pid)
        relays.close()
        go = link.wait_for_go(recorder, until)
        if go.launch:
            self._environment = self._body.environment
        if not go.recorded:
            return None
        self._environment = environment.edited(self._environment, go.edits)
        if streams.terminal is not None:
            streams.terminal.open()
        try:
            plan = self._plan(streams)
            self._body.outer.hide()
            self._body.become(plan)
        except (OSError, EOFError):
            if streams.terminal is not None:
                streams.terminal.undo()
            raise
        self.terminal = streams.terminal is not None
        sockets.send_now(ours, relay.START)
        keep_only({ours.fileno(), self._body.outer.descriptor})
        return ours

    def replace(self) -> int:
        """Have the process that the agent started become the shell, as if it always had been.

        Returns:
            The exit code, where that is not possible.
        """
        if self.relay:
            end(self.relay)
        try:
            self._body.outer.replace(shell(self._settings), self._arguments, self._environment)
        except FileNotFoundError:
            return _NOT_FOUND
        except OSError:
            pass
        return _NOT_EXECUTABLE

    def _hello(self, three: list[Descriptor], streams: Streams) -> bytes:
        extra = [(b"pid", b"%d" % self._body.pid), (b"shim", b"%d" % self._body.outer.pid)]
        extra.append((b"ppid", b"%d" % self._body.outer.parent))
        if streams.merged:
            extra.append((b"merged", b"1"))
        extra += [(b"unrecorded", b"%d" % number) for number in streams.unrecorded]
        return link.hello(self._settings, self._arguments, self._environment, three, extra)

    def _plan(self, streams: Streams) -> Plan:
        plan = Plan(os.fsencode(self._settings["real"]), int(self._settings["marker"]))
        if self._arguments != self._body.arguments:
            plan.arguments = self._arguments
        if self._environment != self._body.environment:
            plan.environment = self._environment
        if streams.terminal is not None:
            plan.terminal = streams.terminal.slave
        for stream in streams.inner:
            plan.descriptors += [(stream.inner, number) for number in stream.numbers]
        if self._settings["namespace"]:
            self._go_home(plan)
        return plan

    def _go_home(self, plan: Plan) -> None:
        """Have the shell run in the recorder's mount namespace, where nothing covers shells."""
        try:
            plan.namespace = os.open(self._settings["namespace"], os.O_RDONLY | os.O_CLOEXEC)
            plan.here = os.open(".", _DIRECTORY)
            self._check_namespaces(plan.namespace)
        except OSError:  # the recorder is gone, or we have not the right
            plan.namespace = None
            plan.path = os.fsencode(self._settings["placeholder"])
        plan.directory = os.readlink(b"/proc/self/cwd")

    def _check_namespaces(self, home: int) -> None:
        """See that the way home leads from the agent's namespace, and not out of a sandbox of its.

        Args:
            home: A descriptor of what is taken for the recorder's mount namespace.

        Raises:
            PermissionError: it does not.
        """
        told = proc.read(self._settings["folder"] + "/mounts").split()
        found = [os.stat("/proc/self/ns/mnt").st_ino, os.fstat(home).st_ino]
        if [int(number) for number in told] != found:
            raise PermissionError("this is another namespace")


def shell(settings: dict[str, str]) -> bytes:
    """Return where the shell is to be found while a launcher may cover it."""
    return os.fsencode(settings["placeholder"] or settings["real"])


def _hold(three: list[Descriptor]) -> None:
    """Keep our own descriptors away from the numbers of streams that are closed."""
    for descriptor in three:
        if descriptor.kind == CLOSED:
            os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
