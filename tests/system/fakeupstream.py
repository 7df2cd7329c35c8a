# SPDX-License-Identifier: Apache-2.0
"""An upstream that answers as a test tells it to, wrongly too.

    def handler(asked, transport):          # asked: dnswire.Message, transport: "udp" or "tcp"
        return [Send(dnswire.answer(asked, id=1)), Send(dnswire.answer(asked, [...]), after=0.05)]

An empty list drops the query."""
import os
import shutil
import socket
import ssl
import struct
import subprocess
import threading

import dnswire
from harness import free_port, read_frame, temp_folder


class Send:
    """A packet to send back: after a delay in seconds, or from another port."""

    def __init__(self, packet, after=0, other_port=False):
        self.packet, self.after, self.other_port = packet, after, other_port


def address(value="192.0.2.1", ttl=300):
    """A handler that answers every name with one address."""
    return lambda asked, transport: [Send(dnswire.answer(asked, [(None, "A", value, ttl)]))]


class Certificate:
    """A self-signed certificate for a name and 127.0.0.1, and what pins its key."""

    def __init__(self, name="dns.test"):
        self.folder = temp_folder()
        os.chmod(self.folder, 0o755)
        self.cert, self.key = (os.path.join(self.folder, one) for one in ("cert.pem", "key.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key, "-out", self.cert,
                        "-days", "2", "-subj", f"/CN={name}", "-addext",
                        f"subjectAltName=DNS:{name},IP:127.0.0.1"], check=True, capture_output=True)
        self.pin = subprocess.run(
            ["sh", "-c", 'openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform der'
             " | openssl dgst -sha256 -binary | openssl base64", "-", self.cert],
            check=True, capture_output=True, text=True).stdout.strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)


class FakeUpstream:
    """tls: a Certificate; then the stream side speaks TLS. tls_most: ssl.TLSVersion."""

    def __init__(self, handler, tls=None, tls_most=None, port=None, host="127.0.0.1"):
        self.handler, self.port, self.host = handler, port or free_port(), host
        self.url = f"udp://127.0.0.1:{self.port}"
        self.context, self.resumed, self.streams = None, [], []
        self.close_after = None  # a stream is closed after so many answers
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(tls.cert, tls.key)
            if tls_most:
                self.context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
                self.context.maximum_version = tls_most
                self.context.set_ciphers("ALL:@SECLEVEL=0")
            self.url = f"tls://127.0.0.1:{self.port}"
        self.asked = []  # (transport, Message, source port), in order of arrival
        self.lock, self.closing = threading.Lock(), False

    def __enter__(self):
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((self.host, self.port))
        self.tcp = socket.create_server((self.host, self.port))
        self.other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.other.bind((self.host, 0))
        for work in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=work, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.closing = True
        for one in (self.udp, self.tcp):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for one in (self.udp, self.tcp, self.other):
            one.close()

    def take(self, packet, transport, port):
        asked = dnswire.Message(packet)
        with self.lock:
            self.asked.append((transport, asked, port))
        return self.handler(asked, transport)

    def send_later(self, action, send):
        def guarded():
            try:
                send(action)
            except OSError:
                if not self.closing and not action.after:
                    raise  # who has gone in the meantime may
        if action.after:
            timer = threading.Timer(action.after, guarded)
            timer.daemon = True
            timer.start()
        else:
            guarded()

    def serve_udp(self):
        while not self.closing:
            try:
                packet, peer = self.udp.recvfrom(65535)
            except OSError:
                return
            if not packet:
                continue
            for action in self.take(packet, "udp", peer[1]):
                self.send_later(action, lambda a, peer=peer: (
                    self.other if a.other_port else self.udp).sendto(a.packet, peer))

    def serve_tcp(self):
        while not self.closing:
            try:
                stream, peer = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.serve_stream, args=(stream, peer[1]), daemon=True).start()

    def serve_stream(self, stream, port):
        lock = threading.Lock()

        def send(action):
            with lock:
                stream.sendall(struct.pack("!H", len(action.packet)) + action.packet)
        with stream:
            stream.settimeout(30)
            taken = 0
            try:
                if self.context:
                    stream = self.context.wrap_socket(stream, server_side=True)
                    self.resumed.append(stream.session_reused)
                self.streams.append(stream)
                while packet := read_frame(stream):
                    for action in self.take(packet, "tls" if self.context else "tcp", port):
                        self.send_later(action, send)
                    taken += 1
                    if taken == self.close_after:
                        break
            except OSError:
                pass
            finally:
                self.drop(stream)

    @staticmethod
    def drop(stream):
        """Close a connection, whoever waits for it."""
        try:
            stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        stream.close()

    def drop_streams(self):
        """End every connection. Its own thread closes it: a descriptor closed here could be
        another socket's by the time that thread writes its last TLS record."""
        for stream in self.streams:
            try:
                socket.socket.shutdown(stream, socket.SHUT_RDWR)
            except OSError:
                pass

    def count(self, name=None, transport=None):
        """How many queries came, for a name (any case) or over a transport."""
        with self.lock:
            return sum(1 for how, asked, _ in self.asked
                       if (name is None or asked.questions[0][0].lower() == name)
                       and transport in (None, how))
