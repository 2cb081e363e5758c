"""The glossary: every term of it is used, and every technical word that a person can read is explained in it.

`TECHNICAL` comes from outside: the headwords of the glossaries of Google's Machine Learning Crash Course and of
Goodfellow, Bengio, Courville 2016, and the names of PyTorch's layers and functions, as far as they are single terms.
"""

from __future__ import annotations

import re
from functools import cache

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from tests.test_window import opened
from tests.unspoken import PACKAGE, spoken
from visualizer import glossary, registry, start
from visualizer.registry import files
from visualizer.scene.picture import Text, box_of
from visualizer.scene.state import State
from visualizer.trace import load
from visualizer.ui.canvas import _around
from visualizer.ui.keysheet import KeySheet
from visualizer.ui.store import Store
from visualizer.ui.wordsheet import WordSheet

WORDS = """
activation adagrad adam affine attention autoencoder autograd backpropagation backward batch beam beat bias bits_per
blank bleu boosting bottleneck bptt broadcast candidate capacity cell channel class clipping cnn codebook collapse
convergence convolution covariance crnn cross_entropy ctc dead decoder dense depthwise descent dilation dimension
discriminator dropout early_stopping eigenvalue embedding encoder ensemble entropy epoch explode exploding feature_map
fine-tuning flatten float32 float64 forget_gate forward frobenius gate gating gelu generator glu gradient greedy gru
half-life head hessian hidden hidden_state hinge hop hyperparameter initialisation inner_product iou jacobian kernel
kl_divergence label lag latent layer layernorm leaky_relu learning_rate linear logit logits loss lstm lyapunov
manifold mask_token mel memory_cell mlp momentum multi-head multiply-adds nonlinearity norm normalisation objective
one-hot optimiser orthogonal outlier overfitting padding parameter perceptron perplexity pooling positional
precision_at preactivation principal_component prior pruning quantisation query recall recurrent regularisation relu
replay reset_gate residual rmsprop rnn saddle saturated saturation self-attention sigmoid silu singular_value
skip_connection softmax softplus sparsity spectral spectral_radius step stride subsampling supervised tanh target
teacher_forcing temperature tensor tokenizer token transformer transposed truncated_bptt unit unrolled update_gate
upsampling vanish vanishing variance vocabulary warmup weight weight_decay xavier zero-shot ∂l/∂ ∥
"""
TECHNICAL = frozenset(WORDS.split())
PLAIN = {"collapse", "head", "prior", "query", "tensor"}
"""Of these, words that stand for nothing technical in what is said here."""


@cache
def said() -> str:
    """All that a person can read: what stands in `tr` and `english`, without what is filled in, on the cards of the
    start screen, and what networks are called."""
    pieces = [re.sub(r"\{\w*\}", " ", words) for path in sorted(PACKAGE.rglob("*.py"))
              for words in spoken(path)]
    pieces += [words for card in (*start.questions(), *start.networks()) for words in (card.title, card.line)]
    return " ¦ ".join(piece.replace("{", "").replace("}", "").replace("*", "") for piece in pieces)


def occurs(word: str) -> bool:
    bare = word.replace("_", " ")
    edges = (r"(?<![\w-])", r"(?:s|es)?(?![\w-])") if bare[0].isalnum() and bare[-1].isalnum() else ("", "")
    return re.search(edges[0] + re.escape(bare) + edges[1], said(), re.IGNORECASE) is not None


@cache
def used() -> frozenset[glossary.Term]:
    return frozenset(glossary.found(said()))


@pytest.mark.parametrize("term", glossary.terms(), ids=lambda term: term.word)
def test_every_term_is_used_somewhere_and_explained_in_plain_words(term):
    assert term in used()
    assert term.says.endswith(".")
    assert 20 < len(term.says) < 200
    assert not term.says.casefold().startswith(term.word.casefold()), "it does not explain itself by itself"


@pytest.mark.parametrize("word", sorted(TECHNICAL - PLAIN))
def test_every_technical_word_that_is_used_is_explained(word):
    if occurs(word):
        bare = word.replace("_", " ")
        assert glossary.found(bare) or glossary.found(f"{bare}s"), f"{bare} is used, and nobody explains it"


def test_the_check_can_fail():
    assert occurs("gradient")
    assert not occurs("hyperparameter")
    assert not glossary.found("hyperparameter")


def test_no_form_stands_for_two_terms():
    forms = [form.casefold() for term in glossary.terms() for form in term.forms]
    assert len(forms) == len(set(forms))


@pytest.mark.parametrize(("text", "words"), [
    ("the forget gate of the LSTM", ["forget gate", "recurrent"]), ("Logits, logit", ["logit"]), ("interlayer", []),
    ("∥∂L/∂h∥ is 0.5", ["norm", "gradient"]), ("max pooling, 2 × 2", ["pooling"]), ("", []),
])
def test_terms_are_found_as_whole_words_the_longest_first(text, words):
    assert [term.word for term in glossary.found(text)] == words


@pytest.mark.parametrize("path", files("assets", "glossary/*.json"), ids=lambda path: path.stem)
def test_a_glossary_of_another_language_explains_the_same(path):
    assert {term.word for term in glossary._terms(path.stem)} == {term.word for term in glossary._terms("en")}


# --- where they are explained ---------------------------------------------------------------------------------------

@pytest.fixture
def window(qtbot):
    return opened(qtbot, Store(State(), load(registry.folder("assets") / "traces" / "digits_cnn.trace")))


def test_a_word_under_the_pointer_explains_itself(window):
    """In a label all of it, in a sentence the words around the pointer; what lies there is told first."""
    window.store.update(at="softmax.backward", focus=None)
    said = {}
    for mark in window.stage.picture:
        if isinstance(mark, Text):
            left, top, wide, high = box_of(mark)
            said["".join(run.text for run in mark.runs)] = window.stage.tip_at(QPointF(left + wide / 2, top + high / 2))
    assert "gradient: How much the loss would change" in said["gradient"]
    caption = window.stage.picture.caption
    whole, _, meant = next(tip for tip in said.values() if tip.startswith(caption)).partition("\n\n")
    assert whole == caption
    assert meant in ("", glossary.explained(meant.partition(":")[0]))


@pytest.mark.parametrize(("share", "words"), [(0.1, "the network answers"), (0.55, "logit"), (0.98, "its gate")])
def test_of_a_long_line_only_the_words_around_the_pointer_count(share, words):
    said = "the network answers with the largest logit of all that it has for its gate"
    assert words in _around(said, share)
    assert len(_around(said, share).split()) <= 4


def test_a_button_whose_name_is_such_a_word_explains_it(window):
    tab = next(button for button in window.top.tabs.buttons if button.text() == "Gradient flow")
    assert "gradient: How much the loss would change" in tab.toolTip().replace("\n", " ")
    assert "\n\n" not in window.top.export.toolTip()


def test_the_transport_explains_its_beat_and_a_network_its_size(window):
    window.store.update(at="conv2.forward")
    said = window.transport.explained()
    assert "convolution: A filter goes over" in said
    assert "beat: One act" in said
    assert "CNN: Kinds of networks" in window.rail.models.rows[0].toolTip()


def test_f1_shows_the_keys_and_again_the_words_those_on_the_screen_first(window):
    QTest.keyClick(window.stage, Qt.Key.Key_F1)
    assert isinstance(window.cover.shown, KeySheet)
    QTest.keyClick(window.cover.shown, Qt.Key.Key_F1)
    sheet = window.cover.shown
    assert isinstance(sheet, WordSheet)
    (_, here), (_, others) = sheet.groups
    assert {"softmax", "beat", "label"} <= {term.word for term in here}
    assert "CTC" in {term.word for term in others}
    assert len(here) + len(others) == len(glossary.terms())
    QTest.keyClick(sheet, Qt.Key.Key_End)
    assert sheet.scrolled > 0
    assert sheet.scrolled == sheet.whole() - sheet.height() + 24
    QTest.keyClick(sheet, Qt.Key.Key_Home)
    assert sheet.scrolled == 0
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert window.cover.shown is None
    assert window.focusWidget() is window.stage
    assert not window.starting


def test_the_words_of_the_start_screen_are_explained_too(window):
    window.go_to_start()
    assert {"filter", "gradient"} & {term.word for term in glossary.found(window.words_seen())}
    window.run("words")
    assert isinstance(window.cover.shown, WordSheet)
    window.one_level_out()
    assert window.cover.shown is None
    assert window.starting
