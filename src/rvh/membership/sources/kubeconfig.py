"""Where the API of a Kubernetes cluster is, and how it is asked: kubeconfig, or from within.

https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ and
https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
"""

from __future__ import annotations

import base64
import binascii
import os
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rvh.errors import RVHError, show
from rvh.membership.sources import web

__all__ = ["Access", "find_access"]

#: where a pod has the account that it runs as
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
#: what would have to be done, and is not
UNSUPPORTED = {
    "cluster": ("insecure-skip-tls-verify", "proxy-url", "tls-server-name"),
    "user": ("exec", "auth-provider", "username", "as", "as-user-extra"),
}
REMEDY = {
    "insecure-skip-tls-verify": "certificates are always verified: give certificate-authority",
    "proxy-url": "set HTTPS_PROXY in the environment",
    "tls-server-name": "name the server as its certificate does",
    "exec": "no program is run: use a context with a token (kubectl create token) or a certificate",
    "auth-provider": "use a context with a token (kubectl create token) or a certificate",
    "username": "use a context with a token or a certificate",
}


class Access(NamedTuple):
    """How a cluster is asked.

    Parameters
    ----------
    server : str
        The URL that the paths of the API follow.
    token : str, optional
    token_file : str, optional
        A file with a token, to be read for every request: it is replaced before it expires.
    ca, certificate, key : str or bytes, optional
        Files, or their contents.
    """

    server: str
    token: str | None = None
    token_file: str | None = None
    ca: str | bytes | None = None
    certificate: str | bytes | None = None
    key: str | bytes | None = None

    def headers(self) -> dict[str, str]:
        """The headers of a request."""
        token = self.token if self.token_file is None else web.read_secret(self.token_file)
        return {} if token is None else web.bearer(token)

    def verify(self) -> ssl.SSLContext | bool:
        """The certificates to trust and to show."""
        if not self.server.startswith("https:"):
            return False
        with tempfile.TemporaryDirectory() as folder:  # ssl reads keys from files alone
            files = []
            for name in ("ca", "certificate", "key"):
                value = getattr(self, name)
                if isinstance(value, bytes):
                    path = Path(folder, name)
                    path.touch(0o600)
                    path.write_bytes(value)
                    value = str(path)
                files.append(value)
            return web.tls(*files)


def find_access(kubeconfig: str | None = None, context: str | None = None) -> Access:
    """Find the cluster as kubectl does.

    Parameters
    ----------
    kubeconfig : str, optional
        A file; by default those of KUBECONFIG, or the account of the pod that this runs in, or
        ``~/.kube/config``.
    context : str, optional
        A context of these files; by default the current one.

    Raises
    ------
    RVHError
        There is no cluster to be found, or it is reached in a way that is not supported.
    """
    named = kubeconfig or os.environ.get("KUBECONFIG")
    if named is None and context is None and (host := os.environ.get("KUBERNETES_SERVICE_HOST")):
        port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
        host = f"[{host}]" if ":" in host else host
        token, ca = str(ACCOUNT / "token"), str(ACCOUNT / "ca.crt")
        return Access(f"https://{host}:{port}", token_file=token, ca=ca)
    paths = [Path(each) for each in (named or "").split(os.pathsep) if each]
    return _of_files(paths or [Path.home() / ".kube" / "config"], context)


def _of_files(paths: list[Path], context: str | None) -> Access:
    # As kubectl merges files: what comes first counts.
    read = [(path.parent, _read(path)) for path in paths if path.is_file()]
    where = os.pathsep.join(map(str, paths))
    if not read:
        raise RVHError(
            f"there is no kubeconfig {where}, and no account of a pod: set KUBECONFIG or "
            "?kubeconfig=PATH"
        )
    current = context or next(
        (text for _, each in read if (text := each.get("current-context"))), None
    )
    if not current:
        raise RVHError(f"{where} has no current-context: choose one, ?context=NAME")
    _, found = _entry(read, where, "context", current)
    folder, cluster = _entry(read, where, "cluster", found.get("cluster"))
    ca = _data(folder, where, cluster, "certificate-authority")
    server = cluster.get("server")
    if not isinstance(server, str) or not server.startswith(("https://", "http://")):
        raise RVHError(f"{where}: the server of cluster {show(found.get('cluster'))} is not a URL")
    server = server.rstrip("/")
    if found.get("user") is None:
        return Access(server, ca=ca)
    folder, user = _entry(read, where, "user", found["user"])
    token, file = user.get("token"), user.get("tokenFile")
    return Access(
        server,
        None if token is None else str(token),
        None if file is None else str(folder / file),
        ca,
        _data(folder, where, user, "client-certificate"),
        _data(folder, where, user, "client-key"),
    )


def _read(path: Path) -> Mapping[str, Any]:
    import yaml

    try:
        value = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise RVHError(f"{path} cannot be read: {error.strerror}") from None
    except Exception:  # what PyYAML makes values by fails in many ways: `!!timestamp x`
        raise RVHError(f"{path} is not a kubeconfig: it is not YAML") from None
    if not isinstance(value, dict):
        raise RVHError(f"{path} is not a kubeconfig: it holds no object")
    return value


def _entry(
    read: list[tuple[Path, Mapping[str, Any]]], where: str, kind: str, name: object
) -> tuple[Path, Mapping[str, Any]]:
    """The context, cluster or user of a name, and the folder that its paths begin at."""
    names = []
    for folder, config in read:
        for each in config.get(f"{kind}s") or ():
            if not isinstance(each, dict) or not isinstance(each.get(kind), dict):
                continue
            if each.get("name") != name:
                names.append(str(each.get("name")))
                continue
            found: Mapping[str, Any] = each[kind]
            for unsupported in UNSUPPORTED.get(kind, ()):
                if found.get(unsupported):
                    raise RVHError(
                        f"{where}: the {kind} {show(name)} has {unsupported}, which is not "
                        f"supported: {REMEDY.get(unsupported, 'use another context')}"
                    )
            return folder, found
    raise RVHError(f"{where} has no {kind} {show(name)}: there are {', '.join(names) or 'none'}")


def _data(folder: Path, where: str, entry: Mapping[str, Any], name: str) -> str | bytes | None:
    """A certificate or key, which is a file or stands there in base64."""
    if (data := entry.get(f"{name}-data")) is not None:
        try:
            return base64.b64decode(str(data), validate=True)
        except binascii.Error:
            raise RVHError(f"{where}: {name}-data is not base64") from None
    file = entry.get(name)
    return None if file is None else str(folder / file)
