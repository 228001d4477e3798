"""Tells the recorder how each test ended, from within pytest: PYTEST_DONT_REWRITE.

It only looks on. Of the pytest that a command runs it reports the outermost in each process: runs
within tests, xdist's workers (the controller has their reports) and forks say nothing. Events go to
the recorder's socket at once, one packet each; if that fails once, nothing more is sent.

It runs in the user's Python, from 3.5 on, with the user's pytest, from 5 on.
"""

# It must run on Python 3.5, and never raise; what a hook is, pytest says.
import _socket
import json
import os
import socket
import struct
import sys
import time
from typing import Any, Dict

TEXT = 2000
"""Characters of a name or a message that are sent."""

HELLO = b"H"
EVENT = b"T"
PATIENCE = 2
"""Seconds that a packet may wait for the recorder, once."""

HIGH = 200
"""The lowest descriptor to use, so that those that tests open have the numbers they always had."""


class Wire(object):
    """A socket to the recorder that never raises and never waits long.

    Everything it needs from other modules it took when it was made: tests replace the functions of
    `os`, `time` and `socket` by others.
    """

    def __init__(self, path: str, fields: Dict[str, str]) -> None:
        """Connect and say hello."""
        self._fd = -1
        self._now = getattr(time, "time_ns", None) or (lambda now=time.time: int(now() * 1e9))
        self._socket = _socket.socket
        self._family = int(socket.AF_UNIX), int(socket.SOCK_SEQPACKET)
        self._quiet = getattr(socket, "MSG_NOSIGNAL", 0)
        self._fstat, self._getpid, self._close = os.fstat, os.getpid, os.close
        self._pack, self._dumps = struct.Struct(">cQ").pack, json.JSONEncoder().encode
        self._pid = os.getpid()
        self._connect(path)
        self.send(HELLO, b"".join(word.encode("utf-8", "surrogateescape") + b"\0"
                                  for field in fields.items() for word in field))  # fmt: skip

    def _connect(self, path: str) -> None:
        try:
            import fcntl  # noqa: PLC0415 -- not on every system

            opened = self._socket(*self._family)
            try:
                opened.setsockopt(
                    socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", PATIENCE, 0)
                )
                opened.connect(path)
                # Nothing is read: an answer that lay there unread would, when this end is closed,
                # take from the recorder what it has not read yet (ECONNRESET).
                opened.shutdown(socket.SHUT_RD)
                try:
                    self._fd = fcntl.fcntl(opened.fileno(), fcntl.F_DUPFD_CLOEXEC, HIGH)
                except (OSError, ValueError):
                    self._fd = fcntl.fcntl(opened.fileno(), fcntl.F_DUPFD_CLOEXEC, 3)
            finally:
                opened.close()
            status = self._fstat(self._fd)
            self._is = status.st_dev, status.st_ino
        except Exception:
            self._fd = -1

    def event(self, event: str, values: Dict[str, Any]) -> None:
        """Send an event."""
        if self._fd >= 0:
            self.send(EVENT, self._dumps(dict(values, event=event)).encode("ascii"))

    def send(self, kind: bytes, payload: bytes) -> None:
        """Send a packet; after a failure none is sent any more."""
        if self._fd < 0 or self._getpid() != self._pid:
            return
        try:
            status = self._fstat(self._fd)
            if (status.st_dev, status.st_ino) != self._is:  # a test closed it: this is another file
                self._fd = -1
                return
            borrowed = self._socket(self._family[0], self._family[1], 0, self._fd)
            try:
                borrowed.send(self._pack(kind, self._now()) + payload, self._quiet)
            finally:
                borrowed.detach()
        except Exception:
            self.close()

    def close(self) -> None:
        """Close the socket, if it is still ours."""
        fd, self._fd = self._fd, -1
        try:
            status = self._fstat(fd)
            if fd >= 0 and (status.st_dev, status.st_ino) == self._is:
                self._close(fd)
        except Exception:
            pass


class Observer(object):
    """Looks on at one session; its public methods are pytest's hooks, and none of them raises."""

    def __init__(self, config: Any, wire: Wire) -> None:
        self._config = config
        self._wire = wire
        self._parts = {}  # type: Dict[str, Dict[str, Any]]
        self._session = None  # type: Any
        self._deselected = 0

    def pytest_sessionstart(self, session: Any) -> None:
        self._session = session
        self._tell("session", _facts, self._config)

    def pytest_deselected(self, items: Any) -> None:
        self._deselected += len(items)

    def pytest_collection_finish(self, session: Any) -> None:
        self._tell("collected", self._collected, getattr(session, "items", None))

    def pytest_xdist_node_collection_finished(self, node: Any, ids: Any) -> None:  # noqa: ARG002
        self._tell("collected", self._collected, ids)

    def pytest_collectreport(self, report: Any) -> None:
        self._tell("case", _collect_error, report)

    def pytest_runtest_logstart(self, nodeid: str, location: Any) -> None:
        self._tell("start", _start, nodeid, location)

    def pytest_runtest_logreport(self, report: Any) -> None:
        self._tell("case", self._report, report)

    def pytest_keyboard_interrupt(self, excinfo: Any) -> None:
        # pytest's own Interrupted is no person's: files could not be collected, say
        event = "stopped" if excinfo.typename == "Interrupted" else "interrupted"
        self._tell(event, _exception, excinfo)

    def pytest_internalerror(self, excrepr: Any) -> None:
        self._tell("internal_error", _internal, excrepr)

    def pytest_unconfigure(self, config: Any) -> None:
        if config is self._config:
            self._tell("end", _end, self._session)
            self._wire.close()
            _state["observer"] = None

    def _tell(self, event: str, describe: Any, *arguments: Any) -> None:
        """Send an event as described; nothing where that is None or fails."""
        try:
            values = describe(*arguments)
            if values is not None:
                self._wire.event(event, values)
        except Exception:
            pass

    def _collected(self, items: Any) -> Any:
        return {"collected": len(items), "deselected": self._deselected} if items else None

    def _report(self, report: Any) -> Any:
        """Add one phase of a case up; return the case when it is whole."""
        if getattr(report, "context", None) is not None:  # a subtest: a case of its own
            whole = {"status": _status(report), "message": _message(report)}
            return _case(report.nodeid + _subtest(report.context), report, whole)
        part = self._parts.setdefault(report.nodeid, {"seconds": 0.0, "status": "passed"})
        part["seconds"] += getattr(report, "duration", 0.0) or 0.0
        status = _status(report)
        if status == "rerun" or (status != "passed" and part["status"] not in ("failed", "error")):
            part.update(status=status, message=_message(report))
            part["phase"] = report.when if status == "error" else ""
        if report.when in ("setup", "call"):
            return None
        return _case(report.nodeid, report, self._parts.pop(report.nodeid))


_state = {"observer": None, "pid": 0, "to": ""}  # type: Dict[str, Any]


def arm(config_module: Any, folder: str, variable: str) -> None:
    """Have this plugin loaded with pytest's own, in every session of this process."""
    _state.update(folder=folder, variable=variable, pid=os.getpid())
    config_module.default_plugins = tuple(config_module.default_plugins) + (__name__,)


def pytest_addoption() -> None:
    """Leave the environment as the user had it, before any of the user's code is loaded."""
    try:
        _leave_environment()
    except Exception:
        pass


def pytest_configure(config: Any) -> None:
    """Look on at this session, unless it runs within another or for one."""
    try:
        if _state["observer"] or os.getpid() != _state["pid"] or hasattr(config, "workerinput"):
            return
        if not _state["to"] or getattr(config.option, "help", False):
            return
        _, token, command, path = _state["to"].split(":", 3)
        fields = {"kind": "tests", "token": token, "command": command}
        fields.update(pid=str(os.getpid()), ppid=str(os.getppid()))
        observer = Observer(config, Wire(path, fields))
        _optional(observer.pytest_xdist_node_collection_finished)
        config.pluginmanager.register(observer, "traceproof_tests")
        _state["observer"] = observer
    except Exception:
        pass


def _optional(method: Any) -> None:
    """Mark a hook as one that need not exist, as `pytest.hookimpl(optionalhook=True)` would."""
    sys.modules["_pytest.config"].hookimpl(optionalhook=True)(method.__func__)


def _leave_environment() -> None:
    folder, variable = _state["folder"], _state["variable"]
    to = os.environ.pop(variable, "")
    if not to:
        return
    _state["to"] = to
    value = os.environ.get("PYTHONPATH")
    if value is None or folder not in value:
        return
    if not to.startswith("u:"):
        value = value.replace(folder + os.pathsep, "", 1)
    value = value.replace(folder, "", 1)
    if value:
        os.environ["PYTHONPATH"] = value
    else:
        del os.environ["PYTHONPATH"]


def _start(nodeid: str, location: Any) -> Dict[str, Any]:
    file, line = _place(location)
    return {"name": _short(nodeid), "file": file, "line": line}


def _case(name: str, report: Any, whole: Dict[str, Any]) -> Dict[str, Any]:
    return dict(_start(name, getattr(report, "location", None)), **whole)


def _collect_error(report: Any) -> Any:
    if not report.failed:
        return None
    name = _short(report.nodeid)
    return {"name": name, "status": "error", "phase": "collect", "message": _message(report)}


def _internal(excrepr: Any) -> Dict[str, Any]:
    return {"reason": _tail(str(excrepr))}


def _end(session: Any) -> Dict[str, Any]:
    status = getattr(session, "exitstatus", None)
    return {"exit": None if status is None else int(status)}


def _facts(config: Any) -> Dict[str, Any]:
    option = config.option
    facts = {
        "version": sys.modules["pytest"].__version__,
        "python": "%d.%d.%d" % sys.version_info[:3],
        "rootdir": str(getattr(config, "rootpath", None) or getattr(config, "rootdir", "")),
        "arguments": [_short(str(one)) for one in _arguments(config)][:100],
        "plugins": sorted({
            "%s-%s" % (dist.project_name, dist.version)
            for _, dist in config.pluginmanager.list_plugin_distinfo()
        })[:100],
        "hash_seed": os.environ.get("PYTHONHASHSEED", ""),
    }  # fmt: skip
    for fact, name in (
        ("keyword", "keyword"), ("markers", "markexpr"), ("max_failures", "maxfail"),
        ("workers", "numprocesses"), ("seed", "randomly_seed"), ("order_seed", "random_order_seed"),
        ("order", "random_order_bucket"), ("repeats", "count"), ("reruns", "reruns"),
        ("collect_only", "collectonly"),
    ):  # fmt: skip
        value = getattr(option, name, None)
        if isinstance(value, (str, int, float)) and value:
            facts[fact] = value
    return facts


def _arguments(config: Any) -> Any:
    params = getattr(config, "invocation_params", None)  # since 5.1
    return params.args if params is not None else getattr(config, "args", ())


def _status(report: Any) -> str:
    """Return the word for a phase's report."""
    expected = hasattr(report, "wasxfail")
    if report.outcome == "skipped":
        return "xfailed" if expected else "skipped"
    if report.outcome == "passed":
        return "xpassed" if expected and report.when == "call" else "passed"
    if report.outcome == "failed":
        return "failed" if report.when == "call" else "error"
    return str(report.outcome)


def _message(report: Any) -> str:
    try:
        expected = getattr(report, "wasxfail", "")
        if expected:
            return _short(str(expected).replace("reason: ", "", 1))
        longrepr = report.longrepr
        if longrepr is None:
            return ""
        if isinstance(longrepr, tuple):
            return _short(str(longrepr[2]).replace("Skipped: ", "", 1))
        crash = getattr(longrepr, "reprcrash", None)
        return _short(str(crash.message)) if crash is not None else _tail(str(longrepr))
    except Exception:
        return ""


def _place(location: Any) -> Any:
    if not location:
        return "", 0
    return _short(str(location[0] or "")), (location[1] or 0) + 1 if location[1] is not None else 0


def _subtest(context: Any) -> str:
    message = getattr(context, "msg", None)
    values = getattr(context, "kwargs", None) or {}
    said = " [%s]" % message if message else ""
    told = ["%s=%s" % (k, v if isinstance(v, str) else repr(v)) for k, v in values.items()]
    return said + (" (%s)" % ", ".join(told) if told else "")


def _exception(excinfo: Any) -> Dict[str, Any]:
    return {"reason": _short("%s: %s" % (excinfo.typename, excinfo.value))}


def _short(text: str) -> str:
    return text if len(text) <= TEXT else text[: TEXT - 1] + "\u2026"


def _tail(text: str) -> str:
    """Return the end of a long text, from where a line begins: no half of a word is left."""
    if len(text) <= TEXT:
        return text
    end = text[2 - TEXT :].partition("\n")[2]
    return "\u2026\n" + end if end else _short(text)
