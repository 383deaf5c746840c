"""What one training unit is: frozen, complete and hashed before anything runs."""

from __future__ import annotations

import hashlib
import json
import math
import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from bayescale.errors import BayescaleWarning
from bayescale.harness.checked import check as check
from bayescale.harness.mixer_options import MIXER_OPTIONS, MixerOptions
from bayescale.harness.resolved import added, named_tree, read_json

ZIPF_FACTS = "synthetic_zipf"
"""Name of the synthetic corpus; every other corpus name is a folder of ``data/corpora``."""

SCHEDULES = ("wsd", "cosine", "constant")
"""Shapes of the learning rate after its warm-up; see `bayescale.harness.schedule`."""
FFN_ACTIVATIONS = ("silu", "none")
KERNELS = ("chunked", "fla")
PRECISIONS = ("float32", "bfloat16")
STEPWISE, FUSED = "stepwise", "fused"
ADAMW = (STEPWISE, FUSED)
"""Forms of AdamW; see `bayescale.harness.optim`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchitectureConfig:
    """Shape of one decoder. Every member of a unit has this shape."""

    name: str = "llama"
    """Registered architecture, the token mixer of the shared backbone."""
    d_model: int
    """Width of the residual stream."""
    n_layers: int
    """Number of blocks."""
    n_heads: int
    """Heads of the token mixer; divides ``d_model``."""
    ffn_width: int
    """Hidden width of the channel mixer."""
    vocab_size: int
    """Number of distinct tokens."""
    context: int
    """Tokens in one sequence."""
    ffn_activation: str = added("silu")
    """Activation of the channel mixer's gate; the papers of the linear mixers have none."""
    mixer: MixerOptions | None = added(None)
    """The token mixer's own options; its defaults when not given, None where it has none."""
    kernel: str = added("chunked")
    """``"chunked"`` needs PyTorch alone; ``"fla"`` needs a GPU and the extra ``gpu``."""

    def __post_init__(self) -> None:
        """Check that the shape can be built, and write out the mixer's defaults."""
        for name in ("d_model", "n_layers", "n_heads", "ffn_width", "vocab_size", "context"):
            check(getattr(self, name) >= 1, self, name, "at least 1")
        check(self.d_model % self.n_heads == 0, self, "n_heads", f"a divisor of {self.d_model}")
        for name, known in (("ffn_activation", FFN_ACTIVATIONS), ("kernel", KERNELS)):
            check(getattr(self, name) in known, self, name, f"one of {', '.join(known)}")
        own = MIXER_OPTIONS.get(self.name)
        if self.mixer is None and own is not None:
            object.__setattr__(self, "mixer", own())
        fits = self.mixer is None if own is None else isinstance(self.mixer, own)
        expected = "None" if own is None else f"of type {own.__name__}"
        check(fits, self, "mixer", f"{expected} for architecture {self.name!r}")

    @property
    def head_dim(self) -> int:
        """Width of one head."""
        return self.d_model // self.n_heads


@dataclass(frozen=True, kw_only=True, slots=True)
class FactsConfig:
    """Law of the synthetic stream of Zipf-keyed facts; see `bayescale.harness.facts`."""

    vocab_size: int = 32
    """Number of distinct tokens, V."""
    key_tokens: int = 3
    """Tokens of a key, m; there are V^m keys."""
    exponent: float = 0.6
    """Key k has probability proportional to k^-(1 + exponent)."""
    noise: float = 0.1
    """Probability that the answer is not the one of the table."""

    def __post_init__(self) -> None:
        """Check the ranges in which the entropy formula holds."""
        check(self.vocab_size >= 2, self, "vocab_size", "at least 2")
        check(self.key_tokens >= 1, self, "key_tokens", "at least 1")
        check(self.exponent > 0, self, "exponent", "above 0")
        check(0 < self.noise < 1, self, "noise", "between 0 and 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class DataConfig:
    """Where the tokens come from."""

    corpus: str
    """Folder name under ``data/corpora``, or ``zipf_facts``."""
    tokens_sha256: str = ""
    """Hash of the token file; empty for the synthetic stream, which is its own recipe."""
    eval_tokens: int = 131072
    """Size of the fixed evaluation set, in tokens."""
    facts: FactsConfig | None = None
    """Law of the synthetic stream; only with ``corpus="zipf_facts"``."""

    def __post_init__(self) -> None:
        """Check that the corpus kind and its settings agree."""
        check(self.eval_tokens >= 1, self, "eval_tokens", "at least 1")
        synthetic = self.corpus == ZIPF_FACTS
        check((self.facts is not None) == synthetic, self, "facts", f"given for {ZIPF_FACTS} only")


@dataclass(frozen=True, kw_only=True, slots=True)
class OptimConfig:
    """AdamW, shared by all members; the peak learning rate belongs to the member."""

    beta1: float = 0.9
    """First-moment decay."""
    beta2: float = 0.98
    """Second-moment decay; small batches want it high."""
    eps: float = 1e-8
    """Added to the root of the second moment."""
    weight_decay: float = 0.0
    """Decoupled weight decay of all parameters, gains and embeddings too, per unit of rate."""
    clip: float = 1.0
    """Largest Euclidean norm of one member's gradient."""
    warmup_tokens: int
    """Tokens over which the learning rate rises linearly."""
    adamw: str = added(STEPWISE)
    """``"stepwise"`` handles all members at once; ``"fused"`` is PyTorch's, a member at a time, in
    fewer passes over memory. They round differently."""

    def __post_init__(self) -> None:
        """Check the ranges of AdamW."""
        check(self.adamw in ADAMW, self, "adamw", f"one of {', '.join(ADAMW)}")
        for name in ("beta1", "beta2"):
            check(0 <= getattr(self, name) < 1, self, name, "in [0, 1)")
        for name in ("eps", "clip"):
            check(getattr(self, name) > 0, self, name, "above 0")
        for name in ("weight_decay", "warmup_tokens"):
            check(getattr(self, name) >= 0, self, name, "at least 0")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig:
    """Steps of the trunk and of its decay branches."""

    batch_tokens: int
    """Tokens of one member in one optimiser step; a multiple of the context."""
    milestones: tuple[int, ...]
    """Token budgets, ascending: each is one decay branch of the same trunk."""
    decay_fraction: float = 0.2
    """Share of a milestone over which the learning rate falls to zero."""
    abort_ratio: float = 1.5
    """A member above this many times the lowest running mean of its loss ..."""
    abort_steps: int = 100
    """... for this many consecutive steps is marked diverged."""
    checkpoint_seconds: float = 60.0
    """Wall-clock seconds between two checkpoints."""
    schedule: str = added("wsd")
    """``wsd``: one trunk, a linear decay branch per milestone; ``cosine``: a run of its own per
    milestone; ``constant``: one run, measured at every milestone and never decayed."""
    final_rate: float = added(0.0)
    """Where a decay ends, as a share of the peak learning rate."""
    precision: str = added("float32")
    """What networks compute in; parameters, moments and the loss are float32 either way."""
    compiled: bool = added(False)
    """Whether the network is compiled, which needs a C++ compiler on a CPU. It rounds otherwise,
    and by the number of members."""

    def __post_init__(self) -> None:
        """Check that the milestones ascend and leave room for a decay."""
        check(self.batch_tokens >= 1, self, "batch_tokens", "at least 1")
        check(len(self.milestones) >= 1, self, "milestones", "at least one token budget")
        ascending = all(a < b for a, b in zip(self.milestones, self.milestones[1:], strict=False))
        check(ascending, self, "milestones", "strictly ascending")
        check(0 < self.decay_fraction < 1, self, "decay_fraction", "between 0 and 1")
        check(self.abort_ratio > 1, self, "abort_ratio", "above 1")
        check(self.abort_steps >= 1, self, "abort_steps", "at least 1")
        check(self.checkpoint_seconds > 0, self, "checkpoint_seconds", "above 0")
        check(self.schedule in SCHEDULES, self, "schedule", f"one of {', '.join(SCHEDULES)}")
        check(0 <= self.final_rate < 1, self, "final_rate", "in [0, 1)")
        known = f"one of {', '.join(PRECISIONS)}"
        check(self.precision in PRECISIONS, self, "precision", known)
        steps = self.milestones[0] * self.decay_fraction / self.batch_tokens
        check(steps >= 1, self, "milestones", "long enough for one decay step of batch_tokens")


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One network of a stack."""

    seed: int
    """Seed of the initial parameters and of the data order."""
    learning_rate: float
    """Peak learning rate."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check(self.seed >= 0, self, "seed", "at least 0")
        check(0 < self.learning_rate < math.inf, self, "learning_rate", "positive and finite")


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasureConfig:
    """What is measured at every milestone beside the loss; none of it changes what is trained."""

    noise_batches: int = 0
    """Training batches for the gradient noise scale and the gradient norm; 0 for none."""
    attention_logits: bool = False
    """Whether to look for the largest attention logit."""
    documents: bool = False
    """Whether to keep the sum of the losses of every document of the evaluation set."""
    position_lengths: tuple[int, ...] = ()
    """Sequence lengths, also beyond the context, at which to keep the loss of every position."""
    probes: tuple[str, ...] = ()
    """Names of `bayescale.harness.probes`: downstream questions that need no download."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check(self.noise_batches != 1, self, "noise_batches", "0, or at least 2")
        check(self.noise_batches >= 0, self, "noise_batches", "0, or at least 2")
        check(all(n >= 1 for n in self.position_lengths), self, "position_lengths", "at least 1")


LOSS_ONLY = MeasureConfig()
"""Nothing beside the loss."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunConfig:
    """One unit of work: K networks of one shape, trained together on all milestones."""

    architecture: ArchitectureConfig
    """Shape of every member."""
    data: DataConfig
    """Tokens."""
    optim: OptimConfig
    """Optimiser."""
    train: TrainConfig
    """Milestones and steps."""
    members: tuple[Member, ...]
    """The K members."""
    measure: MeasureConfig = added(LOSS_ONLY)
    """What is measured beside the loss."""

    def __post_init__(self) -> None:
        """Check what only the parts together can show."""
        check(len(self.members) >= 1, self, "members", "at least one member")
        check(len(set(self.members)) == len(self.members), self, "members", "distinct")
        context, facts = self.architecture.context, self.data.facts
        divides = self.train.batch_tokens % context == 0
        check(divides, self.train, "batch_tokens", f"a multiple of the context, {context}")
        divides = self.data.eval_tokens % context == 0
        check(divides, self.data, "eval_tokens", f"a multiple of the context, {context}")
        several = self.data.eval_tokens > context  # one sequence tells no standard error
        check(several, self.data, "eval_tokens", f"two sequences of {context} tokens at least")
        if facts is not None:
            found = self.architecture.vocab_size == facts.vocab_size
            check(found, self.architecture, "vocab_size", f"that of the facts, {facts.vocab_size}")
            aligned = context % (facts.key_tokens + 1) == 0
            length = facts.key_tokens + 1
            check(aligned, self.architecture, "context", f"a multiple of a fact's {length} tokens")

    def to_json(self) -> str:
        """Return every field, defaults included, as canonical JSON."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> RunConfig:
        """Read a resolved configuration.

        Parameters
        ----------
        text : str
            What `to_json` wrote; every field must be there.

        Returns
        -------
        RunConfig
            The same configuration.

        Raises
        ------
        HarnessError
            When the text is not JSON, or a field is missing, unknown or out of range.
        """
        way_out = "Write it with RunConfig.to_json."
        config = read_json(cls, text, "resolved configuration", way_out)
        assert isinstance(config, RunConfig)
        return config

    @property
    def content_hash(self) -> str:
        """Twelve hexadecimal digits that name this unit."""
        return _digest(named_tree(self))

    def trunk_hash(self, member: int) -> str:
        """Return the hash of one member alone, the same in any stack.

        Parameters
        ----------
        member : int
            Position in ``members``.

        Returns
        -------
        str
            Twelve hexadecimal digits.
        """
        tree = named_tree(self) | {"members": [named_tree(self.members[member])]}
        # How often a checkpoint is written does not change what is trained.
        tree["train"] = {k: v for k, v in tree["train"].items() if k != "checkpoint_seconds"}
        # Nor does what is measured.
        tree.pop("measure", None)
        return _digest(tree)


def _digest(tree: object) -> str:
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def warn_if_head_dim_varies(shapes: Iterable[ArchitectureConfig]) -> None:
    """Warn when shapes of one architecture do not share the head dimension.

    The head dimension sets what one head can do, in linear mixers even how many time scales there
    are, so that such shapes do not lie on one scaling curve.

    Parameters
    ----------
    shapes : iterable of ArchitectureConfig
        Shapes meant to be one family.
    """
    found: dict[str, set[int]] = {}
    for shape in shapes:
        found.setdefault(shape.name, set()).add(shape.head_dim)
    for name, dims in found.items():
        if len(dims) > 1:
            warnings.warn(
                f"architecture {name!r}: head dimensions {sorted(dims)} vary within the family; "
                "scale the number of heads with d_model instead.",
                BayescaleWarning,
                stacklevel=3,
            )
