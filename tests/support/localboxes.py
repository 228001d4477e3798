"""Local images for tests: a folder that everybody may enter, a workspace of some files."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from traceproof.sandbox.protocol import Image

FILES = {"a.txt": "hello\n", "b.txt": "b\n", "sub/c.txt": "c\n", "sub/deep/d.sh": "echo d\n"}
PATH = "/usr/local/bin:/usr/bin:/bin"


@contextmanager
def image(files: Mapping[str, str] = FILES, *, python: bool = False) -> Iterator[Image]:
    """An image; with `python` the tests' own is on its PATH."""
    with TemporaryDirectory(prefix="traceproof-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "workspace").mkdir()
        (folder / "source").mkdir()
        for path, text in files.items():
            file = folder / "source" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        path = f"{Path(sys.executable).parent}:{PATH}" if python else PATH
        environment = {"OF_THE_IMAGE": "1", "PATH": path}
        yield Image(id=name, workspace=f"{name}/workspace", environment=environment)
