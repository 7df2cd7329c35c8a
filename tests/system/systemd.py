# SPDX-License-Identifier: Apache-2.0
"""A stand-in for systemd: a notify socket, a store of descriptors, a watchdog's wish."""
import array
import os
import socket
import threading

from harness import Program, as_user


class Manager:
    """A stand-in for systemd: a notify socket and a store of descriptors."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o777)
        self.said, self.store, self.closing = [], [], False  # store: (name, descriptor)
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        while not self.closing:
            text, control, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(16))
            state = dict(line.split("=", 1) for line in text.decode().split("\n") if line)
            if "FDSTOREREMOVE" in state:
                self.store = [(name, fd) for name, fd in self.store if name != state["FDNAME"]]
            for level, kind, data in control:
                assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
                fds = array.array("i", data[:len(data) - len(data) % 4])
                if "FDSTORE" in state:
                    self.store += [(state["FDNAME"], fd) for fd in fds]
            self.said.append(state)

    def has(self, key, value="1"):
        return any(state.get(key) == value for state in self.said)

    def start(self, box, **more):
        """Start the daemon as systemd does, with what is in the store."""
        held = [fd for _, fd in self.store]
        names = ":".join(name for name, _ in self.store)

        def hand_over():
            high = [os.dup2(fd, 200 + at) for at, fd in enumerate(held)]
            for at, fd in enumerate(high):
                os.dup2(fd, 3 + at)
                os.set_inheritable(3 + at, True)
        script = 'LISTEN_PID=$$ exec "$@"'
        env = dict(os.environ, NOTIFY_SOCKET=self.path, **more)
        if held:
            env.update(LISTEN_FDS=str(len(held)), LISTEN_FDNAMES=names)
        box.daemon = Program(["sh", "-c", script, "sh", box.program("greengated"), "-c", box.path],
                             os.path.join(box.folder, "daemon.log"), env=env,
                             preexec_fn=hand_over, pass_fds=tuple(range(3, 3 + len(held))),
                             **as_user())
        box.wait_ready()

    def close(self):
        self.closing = True
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
            one.sendto(b"BYE=1", self.path)
        self.thread.join()
        self.socket.close()
