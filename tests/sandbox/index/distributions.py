"""Wheels and sdists made by hand, as small as pip installs them."""

from __future__ import annotations

import io
import tarfile
import zipfile
from hashlib import sha256
from pathlib import Path


def wheel(folder: Path, name: str, version: str, says: str = "hello", needs: str = "") -> Path:
    """A wheel with one module, `name`, whose `SAYS` is that text."""
    module = name.replace("-", "_")
    path = folder / f"{module}-{version}-py3-none-any.whl"
    info = f"{module}-{version}.dist-info"
    requires = f"Requires-Python: {needs}\n" if needs else ""
    with zipfile.ZipFile(path, "w") as out:
        out.writestr(f"{module}.py", f"SAYS = {says!r}\n")
        out.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}")
        out.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        out.writestr(f"{info}/RECORD", f"{module}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return path


def sdist(folder: Path, name: str, version: str) -> Path:
    """A source distribution with its metadata and a module."""
    base = f"{name.replace('-', '_')}-{version}"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    path = folder / f"{base}.tar.gz"
    with tarfile.open(path, "w:gz") as out:
        for file, content in (("PKG-INFO", metadata), ("module.py", b"")):
            entry = tarfile.TarInfo(f"{base}/{file}")
            entry.size = len(content)
            out.addfile(entry, io.BytesIO(content))
    return path


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
