"""Numbers for other programs: arrays of layers as npz, csv or json, and the table of a picture as csv or json.

Values are written in full: reading them back gives the same floating-point numbers. In JSON, which has no word for
them, NaN and the infinities stand as the strings "nan", "inf" and "-inf".
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import visualizer
from visualizer import registry
from visualizer.scene import figures, numbers
from visualizer.scene.picture import Picture, Scale, Table
from visualizer.scene.recipe import LabRecipe
from visualizer.scene.state import State
from visualizer.size import norm
from visualizer.trace import Array, Layer, Refused, Trace


def arrays(layers: Iterable[Layer]) -> Iterator[tuple[str, Array]]:
    """Every array with its name: `conv1.output`, `conv1.gradient`, `conv1.weights.bias`, `lstm.inner.forget`, …"""
    for layer in layers:
        yield f"{layer.name}.output", layer.output
        if layer.gradient is not None:
            yield f"{layer.name}.gradient", layer.gradient
        for group in ("weights", "weight_gradients", "inner", "inner_gradients"):
            for name, array in getattr(layer, group).items():
                yield f"{layer.name}.{group}.{name}", array


COLUMNS = ("layer", "kind", "axes", "shape", "parameters", "min", "mean", "max", "gradient", "reads", "why")
"""What a row says of a layer: its name first, `gradient` the size of its gradient."""


def layers(trace: Trace) -> Iterator[dict[str, Any]]:
    """One row a layer, in the order of execution: least, mean and largest number of its output, ∥∂L/∂output∥₂ (NaN
    where nothing flowed back), and what it is."""
    for layer in trace:
        values = np.asarray(layer.output, np.float64)
        low, mean, high = (values.min(), values.mean(), values.max()) if values.size else (math.nan,) * 3
        size = math.nan if layer.gradient is None else norm(layer.gradient)
        yield dict(zip(COLUMNS, (layer.name, layer.kind, layer.axes, layer.shape, layer.parameters, float(low),
                                 float(mean), float(high), size, layer.reads, layer.why), strict=True))


def frame(trace: Trace) -> Any:
    """The same as a pandas.DataFrame with the names of the layers as its index; Refused without pandas."""
    try:
        pandas = import_module("pandas")  # it has no types of its own
    except ImportError as error:
        raise Refused("A frame of the layers needs pandas; install it with `pip install pandas`.") from error
    return pandas.DataFrame(list(layers(trace)), columns=list(COLUMNS)).set_index(COLUMNS[0])


def npz(layers: Iterable[Layer]) -> bytes:
    """A compressed npz of `arrays`, which `numpy.load` opens; the same numbers give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays(layers):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))  # the clock stays out of the file
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, member.getvalue())
    return buffer.getvalue()


def layer_csv(layer: Layer) -> bytes:
    """One row a number: its place along each axis, its value and its gradient (empty where none came back)."""
    columns = (*layer.axes, "value", *(("gradient",) if layer.gradient is not None else ()))
    return _csv(columns, ((*cell, value, *(() if layer.gradient is None else (layer.gradient[cell].item(),)))
                          for cell in np.ndindex(layer.shape) for value in (layer.output[cell].item(),)))


def layer_json(layer: Layer) -> bytes:
    """What a layer is, and its arrays as nested lists."""
    return _json({
        "name": layer.name, "kind": layer.kind, "axes": list(layer.axes), "shape": list(layer.shape),
        "settings": dict(layer.settings), "reads": list(layer.reads), "why": layer.why,
        "arrays": {name.removeprefix(f"{layer.name}."): array.tolist() for name, array in arrays((layer,))},
    })


def to_bytes(suffix: str, trace: Trace, picture: Picture | None, layer: str | None = None) -> bytes:
    """The file of an ending: `.npz` every array of the recording, or of one layer; `.csv` and `.json` one layer, or the
    table of a picture."""
    if suffix == ".npz":
        return npz(trace.layers if layer is None else (trace[layer],))
    if layer is not None:
        return (layer_csv if suffix == ".csv" else layer_json)(trace[layer])
    assert picture is not None
    return table_csv(picture.table) if suffix == ".csv" else table_json(picture)


def table_csv(table: Table) -> bytes:
    """The table that belongs to a picture."""
    return _csv(table.columns, table.rows)


def table_json(picture: Picture) -> bytes:
    """The same with the sentence of the picture: columns and rows."""
    return _json({"caption": picture.caption, "columns": list(picture.table.columns),
                  "rows": [list(row) for row in picture.table.rows]})


def table_tabs(table: Table) -> str:
    """The same table with tabs between its columns, as spreadsheets take it from the clipboard."""
    rows = (table.columns, *table.rows)
    return "\n".join("\t".join(str(cell).replace("\t", " ").replace("\n", " ") for cell in row) for row in rows) + "\n"


# --- captions -------------------------------------------------------------------------------------------------------

Shown = tuple[Trace, State, Picture]
"""The recording, the choices and the picture that came of them."""


def caption(shown: Iterable[Shown]) -> dict[str, Any]:
    """Everything that has to be known to make a figure again: what it shows, of which numbers, made how."""
    panels = [_panel(*one) for one in shown]
    if len(panels) > 1:
        panels = [{"panel": figures.letter(index), **panel} for index, panel in enumerate(panels)]
    return {"made_by": f"visualizer {visualizer.__version__}", "panels": panels}


def caption_json(shown: Iterable[Shown]) -> bytes:
    """The caption for programs."""
    return _json(caption(shown))


def caption_text(shown: Iterable[Shown]) -> str:
    """The caption for people: what each panel shows, then what it was made from."""
    shown = tuple(shown)
    found = caption(shown)
    lines = []
    for panel, (_, _, picture) in zip(found["panels"], shown, strict=True):
        first = f"{panel['panel']}, " if "panel" in panel else ""
        lines += [f"{first}{panel['sentence']}", _made_from(panel, picture.scales), ""]
    return "\n".join(lines) + f"Made by {found['made_by']}.\n"


def _panel(trace: Trace, state: State, picture: Picture) -> dict[str, Any]:
    file, digest = _model_file(state.model)
    look, focus = state.look, state.focus
    turned = state.recipe.words if isinstance(state.recipe, LabRecipe) else {}
    knobs = dict(sorted({**dict(look.knobs), **turned}.items()))
    return {
        "sentence": picture.caption,
        "model": {"name": trace.model, "title": trace.title, "parameters": trace.parameters, "file": file,
                  "file_sha256": digest, "weights_sha256": str(trace.hashes.get("weights", ""))},
        "input": {"name": trace.sample.name, "title": trace.sample.title, "label": trace.sample.label,
                  "sha256": str(trace.hashes.get("input", ""))},
        "objective": asdict(trace.objective), "dtype": trace.dtype, "seed": trace.seed,
        "versions": dict(trace.versions), "view": state.view, "address": state.at,
        "focus": None if focus is None else {"layer": focus.layer, "cell": list(focus.cell), "part": focus.array},
        "look": {"theme": look.theme, "scope": look.scope, "signs": look.signs, "text_scale": look.text_scale},
        "knobs": knobs, "interventions": list(state.edits),
        "colours": [_colour(scale) for scale in picture.scales], "notes": list(trace.notes),
    }


def _colour(scale: Scale) -> dict[str, Any]:
    return {"palette": scale.palette, "quantity": scale.quantity, "of": scale.of, "low": scale.low, "high": scale.high,
            "zero": 0 if scale.zero is not None else None, "axis": "log" if scale.log else "linear",
            "scope": scale.scope or "its own largest", "each_tile_by_its_own": scale.each}


def _made_from(panel: dict[str, Any], scales: Sequence[Scale]) -> str:
    model, given, goal = panel["model"], panel["input"], panel["objective"]
    focus = panel["focus"]
    where = f", at {panel['address']}" if panel["address"] else ""
    if focus is not None:
        cell = ",".join(map(str, focus["cell"]))
        where += f", looking at {focus['layer']}" + (f":{cell}" if cell else "")
    knobs = "".join(f", {name} {word}" for name, word in panel["knobs"].items())
    said = [f"View {panel['view']}{where}{knobs}.",
            f"Model {model['title']} ({numbers.count(model['parameters'])} parameters"
            + (f", {model['file']}, sha256 {model['file_sha256']}" if model["file"] else "")
            + (f", weights sha256 {model['weights_sha256']}" if model["weights_sha256"] else "") + ").",
            f"Input {given['title'] or given['name']}"
            + (f" (sha256 {given['sha256']})." if given["sha256"] else ".")]
    if goal["kind"] != "none":
        target = "" if goal["target"] is None else f" against {goal['target']}"
        said.append(f"Gradients of the {goal['kind'].replace('_', ' ')}{target}, {numbers.number(goal['value'], 4)}.")
    for bar in figures.bars(scales):
        listed = f" ({bar.listed})" if bar.listed else ""
        title = bar.title[0].lower() + bar.title[1:]
        said.append(f"Colours {bar.palette}: {title}, {bar.ends[0]} to {bar.ends[1]}{listed}.")
    versions = ", ".join(f"{name} {version}" for name, version in sorted(panel["versions"].items()))
    said.append(f"Computed in {panel['dtype']}, seed {panel['seed']}" + (f", with {versions}." if versions else "."))
    return " ".join(said)


def _model_file(model: str) -> tuple[str, str]:
    """Name and sha256 of the file a model was read from; two empty words if it is not there."""
    path = registry.weights(model)
    path = path if path.is_file() else Path(model)
    try:
        with path.open("rb") as file:
            return path.name, hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "", ""


def _csv(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def _json(plain: Any) -> bytes:
    return (json.dumps(_finite(plain), ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
