"""The pytest plugin: arranges the tests as asked, and reports each one: PYTEST_DONT_REWRITE.

Of the pytest sessions of a command each process's outermost is heard, one after the other; those
within tests are not. What goes wrong here is reported as well: it makes the session a problem,
never a result.
"""

import platform
import sys
from typing import Any, Dict, List, Optional

from . import copies, groups, guard, seeds, settings, start, threads
from .job import Job, next_key
from .reports import Execution, detail, last_line, message
from .wire import Wire, plain

NAMES = 50
"""Tests' names in one event."""

_state: Dict[str, Any] = {}


def arm(config_module: Any) -> None:
    """Have the first pytest of this process load this with its own plugins."""
    plugins = config_module.default_plugins
    _state.update(config=config_module, plugins=plugins)
    config_module.default_plugins = tuple(plugins) + (__name__,)


def pytest_addoption() -> None:
    """Leave `sys.modules`, now that pytest has found us there."""
    start.forget()


def pytest_plugin_registered(plugin: Any, manager: Any) -> None:
    """Take the job, if there is one, and look on: no code of the project's has been loaded yet."""
    if getattr(plugin, "__name__", "") != __name__ or "config" not in _state:
        return
    config_module = _state.pop("config")
    config_module.default_plugins = _state.pop("plugins")
    job = start.claim()
    if job is not None:
        seeds.seed(job.seed)
        observer = Observer(job, Wire(job.channel, job.key), config_module.hookimpl)
        manager.register(observer, "traceproof")


class Observer(object):
    """Looks on at one session; its public methods are pytest's hooks."""

    def __init__(self, job: Job, wire: Wire, hookimpl: Any) -> None:
        self._job = job
        self._wire = wire
        self._threads = threads.counter()
        self._fixed: Optional[seeds.Fixed] = None
        self._numpy = False
        self._guard = guard.Guard(job.root)
        self._running: Dict[str, Execution] = {}
        self._counts: Dict[str, int] = {}
        self._groups: Dict[str, str] = {}
        self._end: Dict[str, Any] = {"cases": 0, "failed": 0}
        self._config: Any = None
        self._session: Any = None
        self._interrupted = ""
        python, clock = platform.python_version(), start.state["clock"]
        wire.send("hello", runner="pytest", python=python, clock=clock)
        wrapper = {"hookwrapper": True, "tryfirst": True}
        hookimpl(**wrapper)(Observer.pytest_cmdline_main)
        hookimpl(**wrapper)(Observer.pytest_collection_modifyitems)
        hookimpl(hookwrapper=True, trylast=True)(Observer.pytest_runtestloop)
        hookimpl(**wrapper)(Observer.pytest_runtest_makereport)
        hookimpl(tryfirst=True)(Observer.pytest_sessionstart)
        hookimpl(tryfirst=True)(Observer.pytest_runtest_logstart)
        hookimpl(tryfirst=True)(Observer.pytest_runtest_logreport)  # subtests change it later

    def pytest_cmdline_main(self, config: Any) -> Any:
        """Set options aside before plugins act on them."""
        option = config.option
        if getattr(option, "version", 0) or getattr(option, "help", False):  # there are no tests
            self._wire.send("none")
            self._wire.close()
            self._job.put_back(next_key(self._job.key))
            yield
            return
        self._config = config
        aside = settings.set_aside(config, self._job.seed)
        if self._job.collect_only and self._job.tests:
            settings.only_files(config, self._job.tests)
        self._wire.send("aside", options=aside, pytest=sys.modules["pytest"].__version__)
        yield

    def pytest_sessionstart(self) -> None:
        """Seed NumPy where a plugin has loaded it."""
        self._numpy = seeds.seed_numpy(self._job.seed)

    def pytest_collectreport(self, report: Any) -> None:
        """Report a file that could not be collected."""
        if report.failed:
            text = detail(report)
            self._case({
                "test": report.nodeid or ".", "outcome": "error", "phase": "collect", "failed": 1,
                "message": message(report) if text else last_line(text), "detail": text,
            })  # fmt: skip

    def pytest_collection_modifyitems(self, items: List[Any]) -> Any:
        """Arrange the tests, when all others have."""
        yield
        try:
            self._collected(items)
            items[:] = self._arranged(items)
        except Exception as error:
            self._wire.send("problem", text="%s: %s" % (type(error).__name__, error))
            raise

    def _collected(self, items: List[Any]) -> None:
        names = [item.nodeid for item in items]
        for place in range(0, len(names), NAMES):
            self._wire.send("collected", tests=names[place : place + NAMES])
        self._groups = {
            item.nodeid: groups.SEPARATOR.join(path)
            for item, path in zip(items, groups.paths(items)) if path
        }  # fmt: skip

    def _arranged(self, items: List[Any]) -> List[Any]:
        if self._job.tests is not None:
            by_name = {plain(item.nodeid): item for item in reversed(items)}
            items = [by_name[name] for name in self._job.tests if name in by_name]
        entries = list(zip(groups.paths(items), items))
        items = groups.arrange(entries, self._job.shuffle, self._job.seed)
        return copies.twice(items, self._job.twice) if self._job.twice else items

    def pytest_collection_finish(self) -> None:
        """Seed NumPy where collection has loaded it, and all that is random where asked to."""
        if not self._numpy:
            seeds.seed_numpy(self._job.seed)
        if self._job.fixed_random:
            self._fixed = seeds.Fixed(self._job.seed)

    def pytest_runtestloop(self, session: Any) -> Any:
        """Remember how many failures pytest itself has counted."""
        yield
        self._end["counted"] = session.testsfailed

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Begin an execution."""
        repeat = self._counts.get(nodeid, 0)
        self._counts[nodeid] = repeat + 1
        group = self._groups.get(nodeid, "")
        self._running[nodeid] = Execution(nodeid, repeat, group, self._threads())
        self._wire.send("start", test=nodeid, repeat=repeat)
        if self._fixed is not None:
            self._fixed.begin(plain(nodeid), repeat)

    def pytest_runtest_makereport(self, item: Any, call: Any) -> Any:
        """Remember what a phase raised, whatever is made of it."""
        raised = call.excinfo or (getattr(item, "_excinfo", None) or [None])[0]
        yield
        execution = self._running.get(item.nodeid)
        if execution is not None:
            execution.raised(call.when, raised or call.excinfo)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Add a phase's report to its execution."""
        if report.nodeid in self._running:
            self._running[report.nodeid].add(report)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Report an execution."""
        execution = self._running.pop(nodeid, None)
        if execution is not None:
            self._case(execution.case(self._threads()))
        self._look(now=False)

    def _look(self, *, now: bool) -> None:
        """Report a function of pytest's that the project has replaced."""
        changed = self._guard.look(now=now)
        if changed:
            self._wire.send("problem", text=guard.TAMPERED % changed)

    def _case(self, case: Dict[str, Any]) -> None:
        self._end["cases"] += 1
        self._end["failed"] += case.get("failed", 0)
        self._wire.send("case", **case)

    def pytest_keyboard_interrupt(self, excinfo: Any) -> None:
        """Remember what stopped the session."""
        self._interrupted = ("%s: %s" % (excinfo.typename, excinfo.value))[:500]

    def pytest_internalerror(self, excrepr: Any) -> None:
        """Report an error of pytest's, or a plugin's."""
        self._wire.send("problem", text="internal error: " + last_line(str(excrepr)))

    def pytest_sessionfinish(self, session: Any) -> None:
        """Remember the session: plugins may still change how it ended."""
        self._session = session
        self._end.setdefault("counted", session.testsfailed)

    def pytest_unconfigure(self, config: Any) -> None:
        """Say that this was all, and leave the job for the next."""
        if config is self._config:
            self._look(now=True)
            if self._session is not None:
                self._end["exit"] = int(self._session.exitstatus)
            self._end["plugins"] = self._guard.plugins(config.pluginmanager.get_plugins())
            self._wire.send("end", interrupted=self._interrupted, **self._end)
            self._wire.close()
            self._job.put_back(next_key(self._job.key))
