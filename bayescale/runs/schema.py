"""The columns of a runs table: names, units and spellings, written here and nowhere else.

Standard library only, because the training harness imports it on machines that have little more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["count", "positive", "rate", "real", "label"]

N_PARAMS = "n_params"
N_PARAMS_NONEMBEDDING = "n_params_nonembedding"
N_PARAMS_ACTIVE = "n_params_active"
N_EXPERTS = "n_experts"
N_TOKENS = "n_tokens"
N_TOKENS_UNIQUE = "n_tokens_unique"
FLOPS = "flops"
LOSS = "loss"
LOSS_SE = "loss_se"
BITS_PER_BYTE = "bits_per_byte"
DATASET = "dataset"
ARCHITECTURE = "architecture"
TOKENIZER = "tokenizer"
LOSS_KIND = "loss_kind"
SEED = "seed"
TRUNK = "trunk"
STEP = "step"
STATUS = "status"
RUN_ID = "run_id"
EPOCHS = "epochs"
LEARNING_RATE = "learning_rate"
BATCH_TOKENS = "batch_tokens"
WARMUP_TOKENS = "warmup_tokens"
D_MODEL = "d_model"
N_LAYERS = "n_layers"
N_HEADS = "n_heads"
FFN_WIDTH = "ffn_width"
VOCAB_SIZE = "vocab_size"
CONTEXT = "context"
MIXER_FLOPS = "mixer_flops"
NOISE_SCALE = "noise_scale"
GRAD_NORM = "grad_norm"
ATTENTION_LOGIT_MAX = "attention_logit_max"

LARGEST: dict[Kind, float] = {"count": 1e24, "positive": 1e50}
"""Values above which a column holds a mistake; their products and squares are still numbers."""

STATUSES = ("finished", "diverged", "killed", "running")
"""Values of the ``status`` column; only ``finished`` rows are fitted."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One known column.

    Parameters
    ----------
    name : str
        Canonical name, spelled the same in code, tables, plots and prose.
    kind : {"count", "positive", "rate", "real", "label"}
        ``count`` and ``positive`` are finite and above zero, ``rate`` is zero at the end of many
        schedules, ``real`` is finite, ``label`` is text.
    unit : str
        Unit of the values.
    meaning : str
        One line for a reader.
    spellings : tuple of str
        Other names under which the column is recognised, case ignored.
    """

    name: str
    kind: Kind
    unit: str
    meaning: str
    spellings: tuple[str, ...] = ()


COLUMNS: tuple[Column, ...] = (
    Column(
        name=N_PARAMS,
        kind="count",
        unit="parameters",
        meaning="all parameters of the network",
        spellings=("N", "params", "parameters", "num_params", "model_size", "n_parameters"),
    ),
    Column(
        name=N_PARAMS_NONEMBEDDING,
        kind="count",
        unit="parameters",
        meaning="parameters without the embedding and the head",
        spellings=("params_nonembedding", "n_params_non_embedding", "non_embedding_params"),
    ),
    Column(
        name=N_PARAMS_ACTIVE,
        kind="count",
        unit="parameters",
        meaning="parameters used for one token",
        spellings=("active_params", "params_active"),
    ),
    Column(
        name=N_EXPERTS,
        kind="count",
        unit="experts",
        meaning="experts of a routed network",
        spellings=("experts", "num_experts"),
    ),
    Column(
        name=N_TOKENS,
        kind="count",
        unit="tokens",
        meaning="training tokens seen",
        spellings=("D", "tokens", "num_tokens", "training_tokens", "tokens_seen"),
    ),
    Column(
        name=N_TOKENS_UNIQUE,
        kind="count",
        unit="tokens",
        meaning="distinct training tokens available",
        spellings=("unique_tokens", "tokens_unique", "U"),
    ),
    Column(
        name=FLOPS,
        kind="positive",
        unit="FLOPs",
        meaning="training compute, a count and never a rate",
        spellings=("C", "compute", "training_flops", "flop"),
    ),
    Column(
        name=LOSS,
        kind="positive",
        unit="nats per token",
        meaning="loss of the finished run on held-out text",
        spellings=("L", "val_loss", "final_loss", "validation_loss", "test_loss", "eval_loss"),
    ),
    Column(
        name=LOSS_SE,
        kind="positive",
        unit="nats per token",
        meaning="standard error of the loss over the evaluation set",
        spellings=("loss_sem", "loss_stderr"),
    ),
    Column(
        name=BITS_PER_BYTE,
        kind="positive",
        unit="bits per byte",
        meaning="loss comparable across tokenizers",
        spellings=("bpb",),
    ),
    Column(
        name=DATASET,
        kind="label",
        unit="",
        meaning="training corpus",
        spellings=("corpus", "training_set", "data"),
    ),
    Column(
        name=ARCHITECTURE,
        kind="label",
        unit="",
        meaning="neural network family",
        spellings=("arch",),
    ),
    Column(name=TOKENIZER, kind="label", unit="", meaning="tokenizer of the loss"),
    Column(name=LOSS_KIND, kind="label", unit="", meaning="which loss was measured"),
    Column(name=SEED, kind="label", unit="", meaning="random seed of the run"),
    Column(
        name=TRUNK,
        kind="label",
        unit="",
        meaning="run whose constant-rate part this row's decay branched from",
    ),
    Column(name=STEP, kind="count", unit="steps", meaning="optimiser step of the measurement"),
    Column(name=STATUS, kind="label", unit="", meaning=f"one of {', '.join(STATUSES)}"),
    Column(name=RUN_ID, kind="label", unit="", meaning="identifier of the run", spellings=("run",)),
    Column(
        name=LEARNING_RATE,
        kind="rate",
        unit="1",
        meaning="peak learning rate",
        spellings=("lr", "peak_lr"),
    ),
    Column(
        name=BATCH_TOKENS,
        kind="count",
        unit="tokens",
        meaning="tokens per optimiser step",
        spellings=("batch_size_tokens",),
    ),
    Column(name="beta2", kind="real", unit="1", meaning="second-moment decay of AdamW"),
    Column(
        name="weight_decay",
        kind="real",
        unit="1",
        meaning="decoupled weight decay",
        spellings=("wd",),
    ),
    Column(name=WARMUP_TOKENS, kind="real", unit="tokens", meaning="tokens of warm-up"),
    Column(
        name=EPOCHS,
        kind="positive",
        unit="1",
        meaning="passes over the distinct tokens",
    ),
    Column(name=D_MODEL, kind="count", unit="channels", meaning="width of the network"),
    Column(name=N_LAYERS, kind="count", unit="layers", meaning="depth of the network"),
    Column(name=N_HEADS, kind="count", unit="heads", meaning="heads of the token mixer"),
    Column(
        name=FFN_WIDTH, kind="count", unit="channels", meaning="hidden width of the channel mixer"
    ),
    Column(name=VOCAB_SIZE, kind="count", unit="tokens", meaning="distinct tokens"),
    Column(name=CONTEXT, kind="count", unit="tokens", meaning="tokens of one sequence"),
    Column(
        name=MIXER_FLOPS,
        kind="positive",
        unit="FLOPs per token",
        meaning="training cost of a token mixer beside its weights, if it is no causal softmax",
    ),
    Column(
        name=NOISE_SCALE, kind="positive", unit="tokens", meaning="gradient noise scale B_simple"
    ),
    Column(
        name=GRAD_NORM,
        kind="positive",
        unit="1",
        meaning="gradient norm of one batch at the peak learning rate, before clipping",
    ),
    Column(
        name=ATTENTION_LOGIT_MAX,
        kind="real",
        unit="1",
        meaning="largest attention logit at the peak learning rate",
    ),
)

BY_NAME: dict[str, Column] = {column.name: column for column in COLUMNS}

SPELLINGS: dict[str, str] = {
    spelling.lower(): column.name
    for column in COLUMNS
    for spelling in (column.name, *column.spellings)
}
"""Lower-case spelling to canonical name."""


def largest(column: str) -> float:
    """Return the value of a column above which it holds a mistake; infinity where none is."""
    known = BY_NAME.get(column)
    return float("inf") if known is None else LARGEST.get(known.kind, float("inf"))


def downstream(task: str) -> str:
    """Return the column that holds the error on a downstream task, from 0 to 1.

    Parameters
    ----------
    task : str
        Name of the task.

    Returns
    -------
    str
        Its column; laws from loss to error read it.
    """
    return f"downstream_{task}"
