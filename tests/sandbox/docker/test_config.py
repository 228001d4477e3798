from __future__ import annotations

from traceproof.sandbox import owner
from traceproof.sandbox.docker.config import container, labels
from traceproof.sandbox.protocol import GIB, Image, Limits, Setting

IMAGE = Image(id="sha256:1", workspace="/home/x/project")


def test_a_box_is_locked_down() -> None:
    host = container(IMAGE, Setting())["HostConfig"]

    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges"]  # and the engine's own filter of calls
    assert host["ReadonlyRootfs"]
    assert host["NetworkMode"] == "none"
    assert host["Init"]
    assert host["LogConfig"] == {"Type": "none"}  # reports would fill the disk
    assert not {"Binds", "Mounts", "Privileged", "Devices", "CapAdd", "PidMode"} & host.keys()


def test_its_limits_are_the_settings() -> None:
    limits = Limits(memory=GIB, disk=GIB, cpus=0.5, pids=10, open_files=20, file_size=30)
    host = container(IMAGE, Setting(limits=limits))["HostConfig"]

    assert host["Memory"] == host["MemorySwap"] == GIB
    assert host["NanoCpus"] == 500_000_000
    assert host["PidsLimit"] == 18
    assert {item["Name"]: item["Hard"] for item in host["Ulimits"]} == {
        "nofile": 20, "fsize": 30, "core": 0,
    }  # fmt: skip
    sizes = {path: options.split("size=")[1] for path, options in host["Tmpfs"].items()}
    assert sizes["/home/x/project"].startswith(f"{GIB},")
    assert sizes["/tmp"].startswith(f"{GIB // 2},")


def test_what_an_image_declares_as_volumes_is_in_memory() -> None:
    volumes = ("/data/", "/tmp", "/home/x/project")
    mounted = container(IMAGE, Setting(), volumes=volumes)["HostConfig"]["Tmpfs"]

    plain = container(IMAGE, Setting())["HostConfig"]["Tmpfs"]
    assert mounted.keys() - plain.keys() == {"/data"}
    assert {path: mounted[path] for path in plain} == plain


def test_a_network_and_a_runtime_are_asked_for() -> None:
    host = container(IMAGE, Setting(network=True), "runsc")["HostConfig"]

    assert (host["NetworkMode"], host["Runtime"]) == ("bridge", "runsc")


def test_it_carries_who_made_it() -> None:
    body = container(IMAGE, Setting())

    assert body["Labels"] == labels() == {"traceproof": "1", "traceproof.owner": str(owner.me())}
