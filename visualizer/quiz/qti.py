"""QTI 2.1: a package as IMS defines it, a zip with one XML file a question and a manifest that names them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from visualizer.quiz import Format, Item

QTI = "http://www.imsglobal.org/xsd/imsqti_v2p1"
PACKAGE = "http://www.imsglobal.org/xsd/imscp_v1p1"
MANIFEST = "imsmanifest.xml"
DATE = (1980, 1, 1, 0, 0, 0)


def to_bytes(items: Sequence[Item], title: str) -> bytes:
    """The zip; the same items give the same bytes."""
    members = {MANIFEST: _manifest(items, title), **{f"{item.name}.xml": _item(item) for item in items}}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, root in members.items():
            info = zipfile.ZipInfo(name, DATE)
            info.external_attr, info.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(info, ElementTree.tostring(root, "utf-8", xml_declaration=True))
    return buffer.getvalue()


def _manifest(items: Sequence[Item], title: str) -> Element:
    root = Element("manifest", xmlns=PACKAGE, identifier="visualizer")
    about = SubElement(root, "metadata")
    SubElement(about, "schema").text = "QTIv2.1 Package"
    SubElement(about, "schemaversion").text = "1.0.0"
    SubElement(root, "organizations")
    resources = SubElement(root, "resources")
    for item in items:
        file = f"{item.name}.xml"
        one = SubElement(resources, "resource", identifier=item.name, type="imsqti_item_xmlv2p1", href=file)
        SubElement(one, "file", href=file)
    root.insert(0, ElementTree.Comment(f" {title.replace('--', '—')} "))
    return root


def _item(item: Item) -> Element:
    root = Element("assessmentItem", {"xmlns": QTI, "identifier": item.name, "title": item.title, "adaptive": "false",
                                      "timeDependent": "false", "xml:lang": item.language, "toolName": "Visualizer"})
    declared = SubElement(root, "responseDeclaration", identifier="RESPONSE", cardinality="single",
                          baseType="identifier")
    SubElement(SubElement(declared, "correctResponse"), "value").text = f"A{item.right}"
    SubElement(root, "outcomeDeclaration", identifier="SCORE", cardinality="single", baseType="float")
    SubElement(root, "outcomeDeclaration", identifier="FEEDBACK", cardinality="single", baseType="identifier")
    body = SubElement(root, "itemBody")
    for words in filter(None, item.text.split("\n")):
        SubElement(body, "p").text = words
    choice = SubElement(body, "choiceInteraction", responseIdentifier="RESPONSE", shuffle="false", maxChoices="1")
    SubElement(choice, "prompt").text = item.question
    for number, answer in enumerate(item.answers, 1):
        one = SubElement(choice, "simpleChoice", identifier=f"A{number}")
        one.text = answer.words
        if said := item.reveal if answer.right else answer.said:
            SubElement(one, "feedbackInline", outcomeIdentifier="FEEDBACK", identifier=f"A{number}",
                       showHide="show").text = f" {' '.join(said.split())}"
    _judged(SubElement(root, "responseProcessing"))
    return root


def _judged(processing: Element) -> None:
    """1 for the right answer, 0 for another; and what is said of the one that was chosen."""
    condition = SubElement(processing, "responseCondition")
    right = SubElement(condition, "responseIf")
    match = SubElement(right, "match")
    SubElement(match, "variable", identifier="RESPONSE")
    SubElement(match, "correct", identifier="RESPONSE")
    for where, score in ((right, "1"), (SubElement(condition, "responseElse"), "0")):
        SubElement(SubElement(where, "setOutcomeValue", identifier="SCORE"), "baseValue", baseType="float").text = score
    SubElement(SubElement(processing, "setOutcomeValue", identifier="FEEDBACK"), "variable", identifier="RESPONSE")


FORMAT = Format("qti", (".zip",), "QTI 2.1", to_bytes)
