"""docker-py's cases, told as TAP does. DOCKER_HOST names the engine."""
import io
import tarfile
import time

import docker

client = docker.from_env(timeout=120)
api = client.api
cases = []


def case(name):
    def add(function):
        cases.append((name, function))
        return function

    return add


def until(ask):
    for _ in range(600):
        if ask():
            return
        time.sleep(0.2)
    raise AssertionError("never")


def status_of(call, *args, **more):
    try:
        call(*args, **more)
    except docker.errors.APIError as error:
        return error.response.status_code
    return 0


def sleeper(**more):
    return client.containers.run("busybox", "sleep 600", detach=True, **more)


@case("ping, version, info")
def _():
    assert client.ping()
    assert client.version()["Os"] == "linux"
    assert client.info()["OSType"] == "linux"


@case("run")
def _():
    assert client.containers.run("busybox", "echo told", remove=True) == b"told\n"
    try:
        client.containers.run("busybox", ["sh", "-c", "exit 4"], remove=True)
        raise AssertionError("no error")
    except docker.errors.ContainerError as error:
        assert error.exit_status == 4


@case("list, get, filters")
def _():
    one = sleeper(name="cc-py", labels={"compat": "py"})
    assert [c.id for c in client.containers.list(filters={"label": "compat=py"})] == [one.id]
    assert client.containers.get("cc-py").status == "running"
    assert client.containers.get(one.short_id).id == one.id
    one.remove(force=True)
    assert status_of(client.containers.get, "cc-py") == 404


@case("exec with its exit code and stream")
def _():
    one = sleeper()
    code, output = one.exec_run(["sh", "-c", "echo o; exit 9"])
    assert (code, output) == (9, b"o\n")
    code, (out, err) = one.exec_run(["sh", "-c", "echo o; echo e >&2"], demux=True)
    assert (out, err) == (b"o\n", b"e\n")
    one.remove(force=True)


@case("exec through a socket")
def _():
    one = sleeper()
    made = api.exec_create(one.id, "cat", stdin=True)["Id"]
    sock = api.exec_start(made, socket=True)
    raw = getattr(sock, "_sock", sock)
    raw.sendall(b"line\n")
    seen = b""
    while b"line" not in seen:
        seen += raw.recv(1024)
    sock.close()
    one.remove(force=True)


@case("logs, followed")
def _():
    one = client.containers.run("busybox", ["sh", "-c", "echo a; sleep 1; echo b"], detach=True)
    assert b"".join(one.logs(stream=True, follow=True)) == b"a\nb\n"
    one.remove(force=True)


@case("attach")
def _():
    one = client.containers.create("busybox", ["sh", "-c", "sleep 1; echo seen"])
    stream = one.attach(stream=True, logs=True)
    one.start()
    assert b"seen" in b"".join(stream)
    one.remove(force=True)


@case("stats, top, diff, rename, update, pause, restart, kill, wait")
def _():
    one = sleeper()
    assert "memory_stats" in one.stats(stream=False)
    assert one.top()["Processes"]
    one.diff()
    one.rename("cc-py-renamed")
    one.update(mem_limit="64m", memswap_limit="128m")
    one.pause()
    one.reload()
    assert one.status == "paused"
    one.unpause()
    one.restart(timeout=0)
    one.kill()
    assert one.wait()["StatusCode"] == 137
    one.remove()


@case("archives both ways")
def _():
    one = sleeper()
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        info = tarfile.TarInfo("sent")
        info.size = 4
        tar.addfile(info, io.BytesIO(b"word"))
    assert one.put_archive("/tmp", data.getvalue())
    stream, stat = one.get_archive("/tmp/sent")
    assert stat["name"] == "sent" and b"word" in b"".join(stream)
    one.remove(force=True)


@case("events")
def _():
    # An engine answers a moment before it listens.
    since = int(time.time())
    stream = client.events(since=since, decode=True, filters={"type": "container", "event": ["create", "destroy"]})
    one = client.containers.create("busybox")
    one.remove()
    seen = []
    for event in stream:
        if event["Actor"]["ID"] == one.id:
            seen.append(event["Action"])
        if len(seen) == 2:
            break
    stream.close()
    assert seen == ["create", "destroy"], seen


@case("images: list, get, tag, save, load, history, remove")
def _():
    image = client.images.get("busybox")
    assert image.tag("cc-py", "1")
    assert client.images.list("cc-py")[0].tags.count("cc-py:1") == 1
    saved = b"".join(client.images.get("cc-py:1").save(named="cc-py:1"))
    client.images.remove("cc-py:1")
    assert [i.id for i in client.images.load(saved)] == [image.id]
    assert client.images.get("cc-py:1").history() is not None
    client.images.remove("cc-py:1")
    assert status_of(client.images.get, "cc-py:1") == 404


@case("a pull of an image that is nowhere")
def _():
    assert status_of(client.images.pull, "127.0.0.1:1/cc-missing", tag="1") >= 400


@case("commit")
def _():
    one = sleeper()
    image = one.commit("cc-py", "2")
    assert client.images.get("cc-py:2").id == image.id
    one.remove(force=True)
    client.images.remove("cc-py:2")


@case("networks")
def _():
    # What is connected after its start has to be where the network is.
    labels = {"compat": "py", "shoal.group": "cc-py"}
    net = client.networks.create("cc-py", labels=labels)
    one = sleeper(network="cc-py")
    two = sleeper(labels=labels)
    net.connect(two, aliases=["two"])
    net.reload()
    assert {c.id for c in net.containers} == {one.id, two.id}
    assert one.exec_run("ping -c 1 two").exit_code == 0
    net.disconnect(two)
    assert [n.id for n in client.networks.list(filters={"label": "compat=py"})] == [net.id]
    one.remove(force=True)
    two.remove(force=True)
    net.remove()
    assert status_of(client.networks.get, net.id) == 404


@case("volumes")
def _():
    volume = client.volumes.create("cc-py", labels={"compat": "py"})
    client.containers.run("busybox", "touch /data/f", volumes={"cc-py": {"bind": "/data"}}, remove=True)
    assert client.containers.run("busybox", "ls /data", volumes={"cc-py": {"bind": "/data"}}, remove=True) == b"f\n"
    assert [v.name for v in client.volumes.list(filters={"label": "compat=py"})] == ["cc-py"]
    volume.remove()
    assert status_of(client.volumes.get, "cc-py") == 404


@case("prunes, df")
def _():
    filters = {"label": "compat=nothing"}
    client.containers.prune(filters)
    client.images.prune(filters)
    client.networks.prune(filters)
    client.volumes.prune(filters)
    assert client.df()["Images"]


@case("ports and health in inspect")
def _():
    health = {"test": ["CMD", "true"], "interval": 1000000000, "retries": 3}
    one = client.containers.run("nginx", detach=True, ports={"80/tcp": None}, healthcheck=health)
    until(lambda: client.containers.get(one.id).attrs["State"]["Health"]["Status"] == "healthy")
    one.reload()
    assert int(one.ports["80/tcp"][0]["HostPort"]) > 0
    one.remove(force=True)


@case("swarm and plugins")
def _():
    assert status_of(client.services.list) == 503
    client.plugins.list()


for name, function in cases:
    try:
        function()
        print(f"ok - {name}", flush=True)
    except Exception as error:  # each case is told, whatever it fails by
        words = f"{type(error).__name__} {error}".replace("\n", " ")
        print(f"not ok - {name} # {words}", flush=True)
print(f"1..{len(cases)}")
