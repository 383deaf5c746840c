"""Groups: what the page says of pooling is what pooling did."""

from __future__ import annotations

import pytest
from simulated_groups import crossed_frame

import bayescale as bs
from bayescale.decisions.pooled import shrinkage, variance_components
from bayescale.errors import BayescaleWarning
from bayescale.reports import hierarchy, sentences
from bayescale.reports.content import Picture, Rows, Text
from bayescale.reports.gathered import Gathered

GROUP = ("dataset", "architecture")


def gathered(posterior: bs.Posterior) -> Gathered:
    return Gathered(
        posterior=posterior, runs=None, forecast=None, decision=None, hidden=None, linted=(),
        command="",
    )  # fmt: skip


def test_one_group_has_nothing_to_pool(posterior) -> None:
    assert [*hierarchy.blocks(gathered(posterior))] == [Text(sentences.HIERARCHY["one"])]


def test_groups_fitted_apart_are_listed() -> None:
    frame, _ = crossed_frame(2, 1)
    with pytest.warns(bs.errors.PoolingWarning, match="2 groups"):
        apart = bs.fit(frame, "chinchilla_plain_weak", group="dataset", pooling="none")
    said, rows = hierarchy.blocks(gathered(apart))
    assert said == Text(sentences.HIERARCHY["none"])
    assert isinstance(rows, Rows)
    assert [row[:2] for row in rows.table.rows] == [("d0", "12"), ("d1", "12")]


@pytest.mark.slow
def test_pooled_groups_show_how_they_differ_and_where_they_moved() -> None:
    frame, _ = crossed_frame(2, 2)
    pooled = bs.fit(frame, "chinchilla_plain_partial", group=GROUP, draws=250)
    blocks = [*hierarchy.blocks(gathered(pooled))]
    assert blocks[0] == Text(sentences.HIERARCHY["partial"])
    pictures = [block for block in blocks if isinstance(block, Picture)]
    assert [picture.name for picture in pictures] == ["variance-components", "shrinkage"]
    moved = hierarchy.shrunk(pooled)
    assert moved is not None
    with pytest.warns(BayescaleWarning, match="4 groups"):
        apart = bs.fit(frame, pooled.spec, group=GROUP, pooling="none", engine="amis")
    assert moved["pooled"].tolist() == shrinkage(pooled, apart)["pooled"].tolist()
    # Fitted from the logs of the same runs: equal up to rounding.
    assert moved["apart"].tolist() == pytest.approx(shrinkage(pooled, apart)["apart"], rel=1e-6)
    drawn = pictures[0].draw()
    shown = [text.get_text() for text in drawn.get_yticklabels()]
    assert shown == [*dict.fromkeys(variance_components(pooled)["coefficient"])]
