"""Whether a folder of the warehouse can be used, found out by using it."""

import secrets

from dataplat.errors import StorageError
from dataplat.storage.files import filesystem, storage_errors


def probe_folder(uri: str) -> None:
    """Write a small hidden file below ``uri``, read it back, and delete it. The folder is made if absent.

    Raises:
        StorageError: One of these was refused, or what was read is not what was written. The file may be
            left when deleting is what was refused.
    """
    fs, root = filesystem(uri)
    token = secrets.token_hex(8)
    path, content = f"{root.rstrip('/')}/_dataplat_probe_{token}", token.encode()
    with storage_errors(uri):
        fs.makedirs(root, exist_ok=True)
        fs.pipe_file(path, content)
        try:
            found = fs.cat_file(path)
        finally:
            fs.rm_file(path)
    if found != content:
        raise StorageError(
            uri,
            "what is written is not what is read back",
            facts=[("expected", f"{len(content)} bytes"), ("found", f"{len(found)} bytes, or others")],
            effect="nothing was published",
            next_steps=["dataplat check --connect"],
        )
