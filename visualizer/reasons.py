"""Reasons: why something is missing from a recording, could not be compared, or cannot be read by a bundled
model, in whole sentences.

A recording holds them in English, one after another, as files and programs read them, and a model's program raises
them so; `told` says them in the language of the person who looks, of a recording that is years old, too. Who wants to
give another reason adds it here.
"""

from __future__ import annotations

import re
from functools import cache

from visualizer.language import english, spoken, translated

# --- no gradient ----------------------------------------------------------------------------------------------------

NOTHING_WANTED = english("Nothing was differentiated, so it has no gradient.")
WHOLE_NUMBERS = english("Whole numbers carry no gradient.")
CONSTANT = english("It is a constant, so it has no gradient.")
NOT_FOLLOWED = english("It was computed without autograd, so no gradient flows back to it.")
NOT_REACHED = english("The objective does not depend on it, so no gradient flows back to it.")
FROZEN = english("Its weights are frozen, so they have no gradient.")
SHARES = english("A weight of it is used more than once and the share of this layer could not be told apart, so the "
                 "gradient of that weight is not shown.")
STRAIGHT_FROM_LOGITS = english("The loss is computed from the logits directly, so no gradient passes through the "
                               "softmax.")
STRAIGHT_FROM_LOGARITHMS = english("The loss is computed from the log-probabilities, so no gradient passes through the "
                                   "softmax.")

# --- operations that are not taken apart ----------------------------------------------------------------------------

UNKNOWN = english("No explanation of the operation {name} is known; its numbers are those that torch computed.")
DRAWN_BY_CHANCE = english("Its numbers were drawn by chance, so that nothing makes them.")
FUSED = english("A recurrent layer is recorded as a whole: its gates and states are not taken apart, and its gradient "
                "is only what came back to its outputs, not dL/dh of every step.")
UNSEEN = english("It was written to where autograd does not look (torch.no_grad, detach, .data), so that its gradient "
                 "is passed on as though nothing had been written.")
REWRITTEN = english("Its memory was written to through another tensor, a view that shares it.")
COMPLEX = english("How {name} makes complex numbers is not explained.")
PLACES = english("It holds places, not values: whole numbers that say where the values of {name} were found.")
CUSTOM = english("{name} is a custom autograd function: what it does inside could not be recorded, nor checked.")
CUSTOM_STEPS = english("{name} is a custom autograd function: the steps of its forward are recorded, and its gradient "
                       "comes from a backward of its own, which is not taken apart.")
COMPILED = english("It was made inside compiled code or a transform of torch.func (vmap, grad), whose steps could not "
                   "be recorded; call it outside of that, on tensors with a batch axis, to see them (autograd calls "
                   "the last one {name}).")
DIFFERENTIATED = english("It is a gradient that the model made of its own numbers (torch.autograd.grad), which is not "
                         "taken apart.")
SCRIPT = english("It is compiled code (TorchScript), whose steps could not be recorded, nor checked.")
OF_SEVERAL = english("It was made of all {count} samples of the batch together, of which one was recorded.")
LOSS_OF_ALL = english("It is the loss of all {count} samples of the batch, which was made outside of the model; what "
                      "it hands back is what autograd brought to this one.")
DESCENT = english("It is made of steps of gradient descent, not by a layer.")

# --- recurrent layers -----------------------------------------------------------------------------------------------

COMPUTED = english("One of its weights is neither a parameter nor made by a recorded call.")
SEVERAL = english("It reads {count} sequences at once, and only a single one is taken apart into its steps.")
NOTHING_READ = english("What it reads is not known, so its steps cannot be taken apart.")
NOT_COMPARED = english("Its weights are also used elsewhere, so the gradients that its gates imply could not be "
                       "compared with torch's.")
NO_RANDOM = english("Dropout between its levels was drawn while it ran and the random numbers were not kept, so its "
                    "levels cannot be told apart.")
OUTPUTS_DIFFER = english("Unverified: outputs made from its gates differ from torch's by {error}, more than {most}.")
GRADIENTS_DIFFER = english("Unverified: gradients of weights made from its gates differ from torch's by {error} of the "
                           "largest, more than {most}.")

# --- what could not be compared -------------------------------------------------------------------------------------

UNEXPLAINED = english("No explanation of the operation {name} is known.")
READ_STRANGE = english("It read NaN or infinity from {name}.")
NOT_FINITE = english("{count} of its {all} numbers are NaN or infinite.")
OF_GRADIENT = english("Its gradient: {why}")
OF_WEIGHT = english("The gradient of its {name}: {why}")
NOT_HANDED = english("nothing that was recorded handed it back.")
BY_UNEXPLAINED = english("{name} handed it back, and is unexplained.")
BY_STRANGE = english("{name} read NaN or infinity.")
OF_ALL = english("it is that of all {count} samples of the batch, of which one was recorded.")
INSIDE = english("part of it came through torch.autograd.grad inside the model.")
USE_UNEXPLAINED = english("how the weight was used is not explained.")
NOT_RECORDED = english("no gradient of its output was recorded.")
STRANGE = english("it read NaN or infinity.")

# --- what a bundled model cannot read -------------------------------------------------------------------------------

NO_CHARACTER = english("Type at least one character.")
NO_WORD = english("Type at least one word.")
NO_NUMBER = english("Write a number from zero to 999,999 in English words.")
STRANGE_CHARACTERS = english("This model does not know {name}; write the text without.")
STRANGE_WORDS = english("This model does not know {name}; write a number in English words.")


def told(why: str) -> str:
    """The same reasons in the language that is spoken; what is none of those above stays as it is."""
    if not spoken():
        return why
    for template, pattern in _patterns():
        found = pattern.match(why)
        if found is not None:
            facts = {name: told(fact) if name == "why" else fact for name, fact in found.groupdict().items()}
            return f"{translated(template).format(**facts)} {told(why[found.end():].lstrip())}".rstrip()
    return why


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each template, and what finds it at the beginning of a text; those that begin with a fact, which may be anything,
    last, and longer ones first."""
    templates = [text for name, text in globals().items() if name.isupper() and isinstance(text, str)]
    return tuple((template, re.compile(f"{_pattern(template)}(?: |$)"))
                 for template in sorted(templates, key=lambda text: (text.startswith("{"), -len(text))))


def _pattern(template: str) -> str:
    parts = re.split(r"\{(\w+)\}", template)
    return "".join(re.escape(part) if place % 2 == 0 else f"(?P<{part}>{'.+' if part == 'why' else '.+?'})"
                   for place, part in enumerate(parts))
