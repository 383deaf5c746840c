"""Laws of size, data and routing on real tables."""

from __future__ import annotations

from on_tables.scoring import (
    SEED,
    Scores,
    coefficients,
    fitted,
    in_sample,
    published_r2,
    read,
    scores,
)

import bayescale as bs
from bayescale.forecasts.held_out import hold_out
from bayescale.models.catalog import DEFAULT_MODEL
from bayescale.runs.runs_table import RunsTable


def datablations() -> Scores:
    """Repeated data: in sample as published, and many epochs from few."""
    runs = read("datablations", ["in_published_fit=1"])
    made = {m: fitted(runs, m) for m in ("data_constrained_gp_weak", "data_constrained_plain_weak")}
    splits = {"more_epochs": "epochs{}16", "larger_networks": "n_params{}2.9e9"}
    splits["more_distinct_tokens"] = "n_tokens_unique{}4e9"
    out: Scores = {}
    for what, cut in splits.items():
        few, rest = (
            read("datablations", ["in_published_fit=1", cut.format(s)]) for s in ("<=", ">")
        )
        for model in (
            "data_constrained_gp_weak",
            "data_constrained_plain_weak",
            "chinchilla_plain_weak",
        ):
            out[f"{what}, {model}"] = scores(hold_out(fitted(few, model), rest))
    return {
        "published": {"r2_unique_tokens_only": 0.4452, "r2": 0.7722, "r2_best_variant": 0.7988},
        "r2_published_coefficients": published_r2("data_constrained", runs),
        "r2_fitted": in_sample(made["data_constrained_plain_weak"], runs),
        "coefficients": {model: coefficients(posterior) for model, posterior in made.items()},
        "extrapolation": out,
    }


ROUTERS = {"s-base": 0, "hash": 1}
"""Families whose published coefficients the law holds, and which they are."""


def routing() -> Scores:
    """Routed networks: the published fit, large networks and many experts from small ones."""
    out: Scores = {"published": {"coefficients": "arXiv:2202.01169, table 3"}}
    kept = ["loss_kind=validation", "is_final=1", "k=1", "routing_frequency=0.5"]
    named = {"n_params_active": "params_active", "n_experts": "num_experts"}
    for family in ("s-base", "rl-r", "hash"):
        where = [*kept, f"family={family}"]
        runs = read("routing", where, **named)
        made = fitted(runs, "routed_plain_weak")
        out[family] = {"n": len(runs), "r2_fitted": in_sample(made, runs)}
        out[family]["coefficients"] = coefficients(made)
        if family in ROUTERS:
            out[family]["r2_published_coefficients"] = published_r2("routed", runs, ROUTERS[family])
        for what, cut in (("large", "n_params_active{}2e8"), ("many_experts", "n_experts{}64")):
            few = read("routing", [*where, cut.format("<=")], **named)
            rest = read("routing", [*where, cut.format(">")], **named)
            for model in ("routed_gp_weak", "routed_plain_weak"):
                held = hold_out(fitted(few, model), rest)
                out[family][f"{what}_from_few, {model}"] = scores(held)
    return out


def _vocabulary(*where: str) -> RunsTable:
    named = {"loss_over_unigram": "loss", "n_characters": "characters"}
    frame = read("vocab", ["n_characters>1e9", *where], **named).frame
    inside = frame["n_params"] - frame["n_params_nonembedding"]
    return bs.read_runs(frame.assign(n_params_vocabulary=inside), name="vocab")


def vocab() -> Scores:
    """Vocabularies: the published fit, and the two largest networks from the four small ones."""
    everything = _vocabulary()
    small, large = (_vocabulary(f"n_params_nonembedding{cut}4e8") for cut in ("<", ">"))
    return {
        "published": {"r2_human_law_of_a_benchmark": 0.966},
        "n": len(everything),
        "r2_published_coefficients": published_r2("vocabulary", everything),
        "r2_fitted": in_sample(fitted(everything, "vocabulary_plain_weak"), everything),
        "coefficients": coefficients(fitted(everything, "vocabulary_plain_weak")),
        "large_from_small": scores(hold_out(fitted(small, "vocabulary_plain_weak"), large)),
    }


def xlstm() -> Scores:
    """Loss of two architectures: 2.7B and 7B, to 2.1e12 tokens, from 160M to 1.4B."""
    out: Scores = {
        "reference_least_squares_error_percent": {"transformer_llama": 0.47, "xlstm": 2.06}
    }
    where = ["experiment=token_param", "diverged=0", "finished=1"]
    for architecture in ("transformer_llama", "xlstm"):
        runs = read("xlstm", [*where, f"architecture={architecture}"])
        small, large = runs.where("n_params<2e9"), runs.where("n_params>2e9")
        models = ("chinchilla", "coupled", "farseer", "over_training")
        out[architecture] = {
            name: scores(hold_out(fitted(small, f"{name}_plain_weak"), large)) for name in models
        }
        default = bs.fit(small, DEFAULT_MODEL, without_family="xlstm", seed=SEED)
        out[architecture][f"{DEFAULT_MODEL}, learned without it"] = scores(hold_out(default, large))
    return out
