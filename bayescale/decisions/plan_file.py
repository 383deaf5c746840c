"""Read a plan file as plain data: YAML that holds values only, and each key once."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from bayescale.errors import DecisionError

EXAMPLE = """\
title: Fund the 7B run?
candidates:
  - {name: big, n_params: 7B, n_tokens: 140B}   # group: c4, where the fit has groups
target: {loss: 2.2}                             # nats per token
price: {usd_per_gpu_hour: 2.5, peak_flops: 989e12, mfu: 0.4}
value: {usd: 1M}                                # what meeting the target is worth
pilots:                                         # runs one could make first; may be left out
  - {name: pilot, n_params: 1.4B, n_tokens: 28B}
"""
"""The smallest useful plan, shown where none is found."""


class _PlainLoader(yaml.SafeLoader):
    """YAML's safe loader, which also refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return a mapping whose keys all differ: YAML itself would keep the last one."""
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key.value!r} is given twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_plan(path: Path) -> dict[str, Any]:
    """Return the content of a plan file, not yet checked.

    Parameters
    ----------
    path : Path
        A YAML file.

    Returns
    -------
    dict
        The top-level mapping.

    Raises
    ------
    DecisionError
        When the file is missing, empty, unreadable, asks YAML to run code, or is no mapping.
    """
    where = f"plan file {path.name!r}"
    data = _parse(_text(path, where), where)
    if not isinstance(data, dict):
        found = "is empty" if data is None else f"holds {type(data).__name__} {str(data)[:60]!r}"
        raise DecisionError(
            f"{where} {found}, expected a mapping.",
            "Start with title, candidates, target, price and value.",
        )
    return data


def _text(path: Path, where: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise DecisionError(
            f"plan file {str(path)!r} does not exist.", f"Check the path, or begin with:\n{EXAMPLE}"
        ) from error
    except OSError as error:
        raise DecisionError(f"{where} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise DecisionError(
            f"{where}: byte 0x{byte:02x} is not UTF-8.", "Save it as UTF-8."
        ) from error


def _parse(text: str, where: str) -> Any:
    try:
        return yaml.load(text, Loader=_PlainLoader)
    except yaml.constructor.ConstructorError as error:
        mark = error.problem_mark
        raise DecisionError(
            f"{where}, line {mark.line + 1 if mark else '?'}: {error.problem}.",
            "A plan is plain data: nothing in it is run, and each key stands once.",
        ) from error
    except yaml.YAMLError as error:
        found = " ".join(str(error).split())
        raise DecisionError(f"{where} is not YAML: {found}.") from error
