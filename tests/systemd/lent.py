"""A wheel that installs no code: it points at packages that are already there.

In a guest without a network `make install` then works as with an index, but for the download.
"""

import zipfile
from pathlib import Path

NAME = "lent-1-py3-none-any.whl"


def write_pointer(directory: Path, packages: str) -> Path:
    """Write the wheel and return it.

    Args:
        directory: where.
        packages: the folder that an environment finds packages in once the wheel is installed.
    """
    files = {
        "lent.pth": f"{packages}\n",
        "lent-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: lent\nVersion: 1\n",
        "lent-1.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "lent-1.dist-info/RECORD"
    files[record] = "".join(f"{name},,\n" for name in (*files, record))
    path = directory / NAME
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path
