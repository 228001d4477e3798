from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

from support.steps import SECOND, Recorded
from traceproof.replay.steps.facts import Command
from traceproof.replay.steps.scene import Room, Scene, limit, venvs


def said(scene: Scene, text: str, **more: object) -> str:
    with ExitStack() as stack:
        command = Command(span_id="c", text=text, outputs={"output": ""}, **more)  # type: ignore[arg-type]
        return Room(scene, stack).run(command).result.stdout.decode()


def test_both_streams_come_as_one_in_their_order() -> None:
    with Recorded().scene() as scene:
        assert said(scene, "echo a; echo b >&2; echo c") == "a\nb\nc\n"


def test_the_shells_process_id_is_known() -> None:
    with Recorded().scene() as scene, ExitStack() as stack:
        ended = Room(scene, stack).run(Command(span_id="c", text="echo $$"))

    assert ended.pid == int(ended.result.stdout)


def test_a_command_cannot_say_that_something_is_missing() -> None:
    with Recorded().scene() as scene, ExitStack() as stack:
        room = Room(scene, stack)
        ended = room.run(Command(span_id="c", text=f"echo folder > {room.box.channel}"))

    assert ended.missing == ""


def test_where_the_workspace_moved_its_path_is_another() -> None:
    with Recorded().scene() as scene:
        moved = replace(scene, root="/srv/was")

        assert said(moved, "cat /srv/was/a.txt; echo /srv/was2", folder="/srv/was/sub") == (
            "one\n/srv/was2\n"
        )


def test_a_virtual_environment_that_is_named_is_the_built_one() -> None:
    with Recorded().scene() as scene:
        image = scene.image.__class__(
            id=scene.image.id,
            workspace=scene.image.workspace,
            environment={**scene.image.environment, "VIRTUAL_ENV": "/usr"},
        )

        found = said(replace(scene, image=image, venvs=(".venv",)), ".venv/bin/env echo yes")

    assert found == "yes\n"


def test_virtual_environments_are_seen_in_commands() -> None:
    texts = ("source .venv/bin/activate && pytest", "./venv/bin/pip list", "my.env/bin/x", "env x")

    assert venvs(texts, [b"a.py"]) == (".venv", "venv")
    assert venvs(texts, [b"venv/bin/python"]) == (".venv",)
    assert venvs(["python3 -m venv .venv", *texts], []) == ()


def test_how_long_a_command_may_take() -> None:
    assert limit(Command(span_id="c", text="", started=0, ended=SECOND)) == 60
    assert limit(Command(span_id="c", text="", started=0, ended=10 * SECOND)) == 200
    assert limit(Command(span_id="c", text="", started=0, ended=1000 * SECOND)) == 1800
