"""Numbers for other programs: arrays of layers as npz, csv or json, and the table of a picture as csv or json.

Values are written in full: reading them back gives the same floating-point numbers. In JSON, which has no word for
them, NaN and the infinities stand as the strings "nan", "inf" and "-inf".
"""

from __future__ import annotations

import csv
import io
import json
import math
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from visualizer.scene.picture import Picture, Table
from visualizer.trace import Array, Layer


def arrays(layers: Iterable[Layer]) -> Iterator[tuple[str, Array]]:
    """Every array with its name: `conv1.output`, `conv1.gradient`, `conv1.weights.bias`, `lstm.inner.forget`, …"""
    for layer in layers:
        yield f"{layer.name}.output", layer.output
        if layer.gradient is not None:
            yield f"{layer.name}.gradient", layer.gradient
        for group in ("weights", "weight_gradients", "inner", "inner_gradients"):
            for name, array in getattr(layer, group).items():
                yield f"{layer.name}.{group}.{name}", array


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


def table_csv(table: Table) -> bytes:
    """The table that belongs to a picture."""
    return _csv(table.columns, table.rows)


def table_json(picture: Picture) -> bytes:
    """The same with the sentence of the picture: columns and rows."""
    return _json({"caption": picture.caption, "columns": list(picture.table.columns),
                  "rows": [list(row) for row in picture.table.rows]})


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
