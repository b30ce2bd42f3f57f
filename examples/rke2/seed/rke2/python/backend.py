"""A build backend of one module that needs nothing from anywhere, and makes the same bytes twice (PEP 517).

The version is that of the release that is being built, in the form that indexes take: 1.30.3+rke2r1 is 1.30.3.post1.
"""

import base64
import hashlib
import os
import re
import zipfile

NAME, MODULE = "rke2-version", "rke2_version.py"
EARLY = (1980, 1, 1, 0, 0, 0)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    core, revision = re.fullmatch(r"([0-9.]+)\+rke2r([0-9]+)", os.environ["SLUICE_VERSION"]).groups()
    version = f"{core}.post{revision}"
    stem = f"rke2_version-{version}"
    info = f"{stem}.dist-info"
    with open(MODULE, "rb") as file:
        files = {MODULE: file.read()}
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {version}\n".encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: rke2\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    listed = [f"{name},sha256={digest(content)},{len(content)}\n" for name, content in files.items()]
    files[f"{info}/RECORD"] = "".join([*listed, f"{info}/RECORD,,\n"]).encode()
    wheel = f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, wheel), "w") as out:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, EARLY)
            entry.external_attr = 0o100644 << 16
            out.writestr(entry, content)
    return wheel


def digest(content):
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
