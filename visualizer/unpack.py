"""Unpack: zips that anybody may have made. What one would unpack to is judged before anything of it is unpacked, even
its list of members."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import IO

from visualizer.language import numeral, tr

BUDGET = 512 << 20
"""Bytes that opening a file may take in memory, all in all."""
MOST_NUMBERS = 384 << 20
"""Of these, what numbers may take."""
MOST_WORDS = 16 << 20
"""Bytes of JSON: read, it takes some twenty times as many."""
MOST_LISTED = 1 << 16
"""Bytes of the list of members of a zip that has few of them: what it lists is read before it is known."""

_END, _END_64, _AT_64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_TAIL = 22 + (1 << 16) + 20
"""Bytes at the end of a zip in which its last record lies, comment included."""


class TooMuch(ValueError):
    """What the file would unpack to is more than there is room for; its text says what."""


def opened(file: Path | IO[bytes], most_listed: int = MOST_LISTED) -> zipfile.ZipFile:
    """The zip, its list of members read. Raises TooMuch, and zipfile.BadZipFile, OSError, … where it is damaged."""
    if isinstance(file, Path):
        with file.open("rb") as stream:
            listed = _listed(stream)
    else:
        listed = _listed(file)
    if listed > most_listed:
        raise TooMuch(tr("it lists members in {count} bytes").format(count=numeral(f"{listed:,}")))
    return zipfile.ZipFile(file)


def read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    """One member. Raises TooMuch if it unpacks to more than `most` bytes, or is packed as none of ours is."""
    if info.file_size > most:
        raise TooMuch(tr("{name} unpacks to {count} bytes"
                         ).format(name=info.filename[:40], count=numeral(f"{info.file_size:,}")))
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise TooMuch(tr("{name} is packed in a way that is not read").format(name=info.filename[:40]))
    return archive.read(info)


def _listed(file: IO[bytes]) -> int:
    """How long the list of members is, as the end of the zip says; 0 where there is no such end."""
    size = file.seek(0, 2)
    start = file.seek(max(0, size - _TAIL))
    tail = file.read(_TAIL)
    at = tail.rfind(_END)
    if at < 0 or at + 22 > len(tail):
        return 0
    listed: int = struct.unpack_from("<I", tail, at + 12)[0]
    if at >= 20 and tail[at - 20:at - 16] == _AT_64:
        file.seek(min(struct.unpack_from("<Q", tail, at - 12)[0], size))
        record = file.read(56)
        if record[:4] == _END_64 and len(record) == 56:
            listed = max(listed if listed != 0xFFFFFFFF else 0, struct.unpack_from("<Q", record, 40)[0])
        listed = max(listed if listed != 0xFFFFFFFF else 0, _before(file, start + at - 76))
    file.seek(0)
    return min(listed, size)


def _before(file: IO[bytes], at: int) -> int:
    """The same from the record of a large zip that lies right before its end, where Python looks for it."""
    if at < 0:
        return 0
    file.seek(at)
    record = file.read(56)
    return int(struct.unpack_from("<Q", record, 40)[0]) if record[:4] == _END_64 and len(record) == 56 else 0
