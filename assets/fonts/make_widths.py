"""Write widths.json: how far each bundled font moves on after each character, in ten-thousandths of its size.

Measured with Qt's own font engine, so that a layout made without Qt fits what Qt draws. Run it again after changing a
font: python assets/fonts/make_widths.py
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from PySide6.QtGui import QFont, QFontMetricsF  # noqa: E402

from visualizer import paint  # noqa: E402
from visualizer.scene import type as letters  # noqa: E402

PER_EM = 10_000
SIZE = 1000
RANGES = ((0x20, 0x7E), (0xA0, 0xAC), (0xAE, 0x17F), (0x391, 0x3A1), (0x3A3, 0x3A9), (0x3B1, 0x3C9))
SINGLE = ("‐–—‘’“”•…′″‖⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉₊₋ᵀℝ←↑→↓↔⇐⇒∂∇∈∏∑−∗∘√∞∥∫≈≠≤≥⊙⊕⌈⌉⌊⌋■□▲▶▼◀●○✓✕✗⟨⟩")


def main():
    paint.ensure_app()
    characters = "".join(dict.fromkeys(
        [chr(code) for first, last in RANGES for code in range(first, last + 1)] + list(SINGLE)))
    faces = []
    for family, weight, italic in letters.faces():
        font = QFont(paint.font(SIZE, (family, weight, italic)))
        font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, 0)
        metrics = QFontMetricsF(font)
        advances = [round(metrics.horizontalAdvance(letter) * PER_EM / SIZE) for letter in characters]
        faces.append({"family": family, "weight": weight, "italic": italic, "advances": advances})
    plain = {"per_em": PER_EM, "characters": characters, "faces": faces}
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).replace('{"family"', '\n{"family"')
    (HERE / "widths.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
