# SPDX-License-Identifier: Apache-2.0
"""The dashboard's API as a browser or a program uses it."""
import http.client
import json


class Api:
    """One client of the admin listener of a Box; `token` instead of signing in."""

    def __init__(self, box, token=None):
        self.port, self.host = box.admin_port, f"127.0.0.1:{box.admin_port}"
        self.token, self.cookie, self.csrf = token, None, None

    def raw(self, method, path, body=None, headers=None):
        """(status, headers, octets) of one request."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            line.request(method, path, body, {"Host": self.host, **(headers or {})})
            answer = line.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            line.close()

    def headers(self, method):
        out = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if self.cookie:
            out["Cookie"] = f"other=1; greengate_session={self.cookie}"
        if method == "POST":
            out.update({"Content-Type": "application/json", "Origin": f"http://{self.host}",
                        **({"X-CSRF-Token": self.csrf} if self.csrf else {})})
        return out

    def ask(self, method, path, body=None, **more):
        """(status, object); more: headers that replace the usual ones."""
        headers = {**self.headers(method), **more.get("headers", {})}
        data = None if body is None else json.dumps(body) if not isinstance(body, (str, bytes)) else body
        status, answer, octets = self.raw(method, f"/api/v1/{path}", data, headers)
        cookie = answer.get("Set-Cookie", "")
        if cookie.startswith("greengate_session="):
            self.cookie, self.set_cookie = cookie.split("=", 1)[1].split(";")[0], cookie
        reply = json.loads(octets) if octets else {}
        self.csrf = reply.get("csrf", self.csrf)
        return status, reply

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, body):
        return self.ask("POST", path, body)

    def must(self, method, path, body=None):
        status, reply = self.ask(method, path, body)
        assert status == 200, (path, status, reply)
        return reply


def set_up(box, password="twelve green apples"):
    """An Api that is signed in as the first admin, by the link that the start printed."""
    api = Api(box)
    invitation = box.daemon.text().split("/#/set-up/")[1].split()[0]
    api.must("POST", "set-up", {"invitation": invitation, "account": "kim", "password": password})
    return api
