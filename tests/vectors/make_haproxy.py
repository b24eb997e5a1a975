"""How haproxy_hash_key.json came to be: a HAProxy that knows `hash-key` was asked.

python make_haproxy.py HAPROXY VERSION NEW_FILE
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from asking import hosts_of

PORT = 28600
ADDRESSES = ["127.0.0.1:28611", "127.0.0.1:28612", "127.0.0.7:28613", "[::1]:28614", "[::1]:28615"]
WEIGHTS = [1, 3, 2, 1, 2]
KEYS = [f"user:{n}" for n in range(400)]


def configuration() -> str:
    lines = ["defaults", "  mode http"]
    lines += [f"  timeout {what} 20s" for what in ("connect", "client", "server")]
    lines += ["frontend in", f"  bind 127.0.0.1:{PORT}", "  use_backend %[req.hdr(x-backend)]"]
    lines += ["frontend servers", *(f"  bind {address}" for address in ADDRESSES)]
    lines += ["  http-request return status 200"]
    for key in ("id", "addr", "addr-port"):
        lines += [f"backend {key}", "  balance hdr(x-key)", "  hash-type consistent crc32"]
        lines += ["  http-response set-header x-host %[srv_name]"]
        lines += [
            f"  server {n} {address} weight {weight} hash-key {key}"
            for n, (address, weight) in enumerate(zip(ADDRESSES, WEIGHTS, strict=True))
        ]
    return "\n".join([*lines, ""])


def main(haproxy: str, version: str, path: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "haproxy.cfg")
        file.write_text(configuration())
        process = subprocess.Popen([haproxy, "-db", "-f", str(file)])
        try:
            time.sleep(2)
            owners = {
                name: [
                    int(host)
                    for host in hosts_of(
                        PORT, [f"/\nx-backend: {name}\nx-key: {key}".encode() for key in KEYS]
                    )
                ]
                for name in ("id", "addr", "addr-port")
            }
        finally:
            process.terminate()
            process.wait()
    found = {
        "source": f"HAProxy {version}, hash-type consistent crc32, by make_haproxy.py",
        "addresses": ADDRESSES,
        "weights": WEIGHTS,
        "keys": KEYS,
        "owners": owners,
    }
    with open(path, "x", encoding="ascii") as out:
        out.write("{\n")
        out.write(",\n".join(f'"{name}": {json.dumps(value)}' for name, value in found.items()))
        out.write("\n}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
