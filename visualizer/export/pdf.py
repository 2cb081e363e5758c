"""PDF: one page of the picture's own size, with its fonts inside. The same picture gives the same bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.sax.saxutils import escape

from visualizer.export import MM, MOST_STATE, Format, Options, _xml
from visualizer.scene.picture import Picture

POINTS = 72
RESOLUTION = 1200
NAMESPACE = "https://visualizer.invalid/state/1.0/"
DATE, XMP_DATE = b"D:20000101000000Z", "2000-01-01T00:00:00Z"
"""Every file says so: a date would make two files of the same picture differ."""


def to_bytes(picture: Picture, options: Options) -> bytes:
    """The file; its caption is the title, its State stands in the XMP metadata."""
    from visualizer.export._place import paper

    return pages([picture], paper(picture, options), options)


def pages(pictures: Sequence[Picture], millimetres: tuple[float, float], options: Options | None = None) -> bytes:
    """The same with several pages of one size, a picture each; the first one's caption is the title."""
    from PySide6.QtCore import QBuffer, QByteArray, QMarginsF, QSizeF, QUuid
    from PySide6.QtGui import QPageSize, QPdfWriter

    from visualizer import paint
    from visualizer.export._place import placed

    options = options or Options()
    paint.ensure_app()
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    size = QSizeF(*millimetres)
    writer.setPageSize(QPageSize(size, QPageSize.Unit.Millimeter, "", QPageSize.SizeMatchPolicy.ExactMatch))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0))
    writer.setResolution(RESOLUTION)
    writer.setTitle(pictures[0].caption or "Visualizer")
    writer.setCreator("Visualizer")
    writer.setDocumentId(QUuid("{76697375-616c-697a-6572-000000000001}"))
    writer.setDocumentXmpMetadata(QByteArray(_metadata(pictures[0], options).encode()))
    with paint.painting(writer) as painter:
        width, height = (length / MM * RESOLUTION for length in millimetres)
        for number, picture in enumerate(pictures):
            if number:
                writer.newPage()
            with paint.saved(painter):
                placed(picture, painter, width, height, options.transparent)
    return _settled(bytes(buffer.data().data()), millimetres)


def state(data: bytes) -> str | None:
    """The State in the XMP metadata of one of our files."""
    if not data.startswith(b"%PDF-"):
        return None
    start = data.find(b"<x:xmpmeta")
    end = data.find(b"</x:xmpmeta>", start, start + 2 * MOST_STATE)
    if start < 0 or end < 0:
        return None
    found = _xml.text_of(data[start:end + len(b"</x:xmpmeta>")], lambda name, _: name == "visualizer:state", MOST_STATE)
    return found or None


def _metadata(picture: Picture, options: Options) -> str:
    caption, state_json = (escape(_xml.printable(text)) for text in (picture.caption, options.state_json))
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:visualizer="{NAMESPACE}">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{caption or 'Visualizer'}</rdf:li></rdf:Alt></dc:title>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{caption}</rdf:li></rdf:Alt></dc:description>
<xmp:CreatorTool>Visualizer</xmp:CreatorTool>
<xmp:CreateDate>{XMP_DATE}</xmp:CreateDate><xmp:ModifyDate>{XMP_DATE}</xmp:ModifyDate>
<visualizer:state>{state_json}</visualizer:state>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


def _settled(data: bytes, millimetres: tuple[float, float]) -> bytes:
    """What Qt wrote, with fixed dates, a page of exact size, and spaces named as spaces; not a byte longer or shorter.

    Qt rounds a page to whole points, and names the glyph that stands for both space and tab a tab.
    """
    data = re.sub(rb"D:\d{14}[Z+\-][\d']*", lambda match: DATE.ljust(len(match[0]), b"'")[:len(match[0])], data)

    def exact(match: re.Match[bytes]) -> bytes:
        box = "0 0 " + " ".join(f"{length / MM * POINTS:.6f}" for length in millimetres)
        return match[1] + box.encode() + match[3] if len(box) == len(match[2]) else match[0]

    data = re.sub(rb"(/MediaBox \[)([^\]]*)(\])", exact, data)
    return re.sub(rb"begincmap.*?endcmap", lambda match: match[0].replace(b"<0009>", b"<0020>"), data, flags=re.DOTALL)


FORMAT = Format("pdf", (".pdf",), "PDF page", to_bytes, state)
