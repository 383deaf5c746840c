"""The plan of a sweep, and the resolved unit of each of its sizes."""

from __future__ import annotations

from dataclasses import fields
from functools import cached_property
from itertools import product
from typing import Literal, Self, TypeVar

from pydantic import Field, model_validator

from bayescale.errors import HarnessError
from bayescale.harness.accounting import count_params
from bayescale.harness.config import (
    FUSED,
    STEPWISE,
    ZIPF_FACTS,
    ArchitectureConfig,
    DataConfig,
    FactsConfig,
    MeasureConfig,
    Member,
    OptimConfig,
    RunConfig,
    TrainConfig,
)
from bayescale.harness.mixer_options import MIXER_OPTIONS, MixerOptions
from bayescale.harness.plan_parts import Budget, Facts, Measure, Size, Strict, Tuning

ALWAYS, MEASURED = "always", "measured"
Value = TypeVar("Value", int, float)


class SweepPlan(Strict):
    """A ladder of sizes, token budgets and seeds on a corpus and an architecture, or several."""

    name: str = Field(min_length=1)
    corpus: str = ""
    """Folder under ``data/corpora``, or ``synthetic_zipf``."""
    corpora: tuple[str, ...] = ()
    """Several corpora instead of ``corpus``: each gets the whole ladder."""
    facts: Facts | None = None
    architecture: str = "llama"
    architectures: tuple[str, ...] = ()
    """Several architectures instead of ``architecture``: each gets the whole ladder."""
    mixer: dict[str, bool | int | float | str] = Field(default_factory=dict)
    """The architecture's own options, such as ``decay`` of ``tnl``; its defaults when left out."""
    mixers: dict[str, dict[str, bool | int | float | str]] = Field(default_factory=dict)
    """Options by architecture, where there are several."""
    budget: Budget = Budget()
    """What the sweep may cost; no limit when left out."""
    ffn_activation: str = "silu"
    kernel: str = "chunked"
    sizes: tuple[Size, ...] = Field(min_length=1)
    head_dim: int = Field(default=8, ge=1)
    context: int = Field(default=128, ge=1)
    vocab_size: int = Field(default=256, ge=2)
    """Distinct tokens of the corpus: 256 of bytes; that of ``facts`` goes first."""
    milestones: tuple[int, ...] = Field(min_length=1)
    """Token budgets; a size leaves out those below ``min_tokens_per_param`` x its parameters."""
    min_tokens_per_param: float = Field(default=1.0, ge=0)
    seeds: tuple[int, ...] = Field(min_length=1)
    batch_tokens: int | tuple[int, ...] = 1024
    """One batch for all sizes, or one per size."""
    learning_rates: tuple[float, ...] | None = None
    """One rate per size, or a single one for all; left out when they are tuned."""
    tuning: Tuning | None = None
    """How to find the rates; left out when they are given."""
    warmup_tokens_per_param: float = Field(default=1.0, ge=0)
    """Warm-up in proportion to size, but at most a tenth of the shortest milestone."""
    warmup_tokens: int | None = Field(default=None, ge=0)
    """One warm-up for all sizes instead, of any length: the habit that bent Kaplan's exponent."""
    beta1: float = 0.9
    beta2: float | tuple[float, ...] = 0.98
    """One value for all sizes, or one per size."""
    weight_decay: float = 0.0
    adamw: Literal["measured", "stepwise", "fused"] = "measured"
    """Form of AdamW; where it is measured, the faster one is taken for every size and kept in the
    sweep's folder. The two differ in the last bits: name one for a table to be made again."""
    compiled: Literal["measured", "never", "always"] | None = None
    """Whether networks are compiled on a CPU; where it is measured, the runs of a size are if that
    saves more time than it takes, and trials of settings are not. It changes the last bits. When
    left out it is measured if ``adamw`` is, so that a table to be made again stays as it was."""
    clip: float = 1.0
    schedule: Literal["wsd", "cosine", "constant"] = "wsd"
    decay_fraction: float = 0.2
    final_rate: float = 0.0
    precision: Literal["float32", "bfloat16"] = "float32"
    measure: Measure = Measure()
    eval_tokens: int = 131072
    checkpoint_seconds: float = 60.0

    @model_validator(mode="after")
    def _check_parts_together(self) -> Self:
        for size in self.sizes:
            if size.d_model % self.head_dim:
                raise ValueError(
                    f"d_model {size.d_model} is not a multiple of head_dim {self.head_dim}; a "
                    "family whose head dimension varies is not one family"
                )
        if (self.learning_rates is None) == (self.tuning is None):
            raise ValueError("exactly one of learning_rates and tuning must be given")
        if self.learning_rates and len(self.learning_rates) not in (1, len(self.sizes)):
            raise ValueError(
                f"learning_rates has {len(self.learning_rates)} rates for {len(self.sizes)} sizes"
            )
        for name in ("batch_tokens", "beta2"):
            each = getattr(self, name)
            if isinstance(each, tuple) and len(each) != len(self.sizes):
                raise ValueError(f"{name} has {len(each)} values for {len(self.sizes)} sizes")
        return self

    @model_validator(mode="after")
    def _check_arms(self) -> Self:
        if bool(self.corpus) == bool(self.corpora):
            raise ValueError("exactly one of corpus and corpora must be given")
        if self.architectures and "architecture" in self.model_fields_set:
            raise ValueError("only one of architecture and architectures may be given")
        for name in ("corpora", "architectures"):
            found = getattr(self, name)
            if len(set(found)) != len(found):
                raise ValueError(f"{name} {found} names one twice")
        if self.architectures and self.mixer:
            raise ValueError("mixer is for one architecture; use mixers, by architecture")
        if set(self.mixers) - set(self.architectures):
            unknown = ", ".join(sorted(set(self.mixers) - set(self.architectures)))
            raise ValueError(f"mixers names {unknown}, which architectures does not")
        for arm in self.arms if self.architectures or self.corpora else ():
            assert arm.name  # made, and thereby checked
        return self

    @cached_property
    def arms(self) -> tuple[SweepPlan, ...]:
        """One plan for each corpus and architecture, in that order; itself where it has one."""
        if not self.corpora and not self.architectures:
            return (self,)
        shared = self.model_dump(exclude_unset=True, exclude={"corpora", "architectures", "mixers"})
        pairs = product(self.corpora or (self.corpus,), self.architectures or (self.architecture,))
        return tuple(
            SweepPlan(
                **shared
                | {"corpus": corpus, "architecture": architecture}
                | ({"mixer": self.mixers[architecture]} if architecture in self.mixers else {})
            )
            for corpus, architecture in pairs
        )

    @model_validator(mode="after")
    def _check_mixer(self) -> Self:
        own = MIXER_OPTIONS.get(self.architecture)
        known = [] if own is None else [part.name for part in fields(own)]
        for key in self.mixer:
            if key not in known:
                has = ", ".join(known) or "none"
                raise ValueError(
                    f"mixer has no option {key!r} for {self.architecture}; it has {has}"
                )
        return self

    @model_validator(mode="after")
    def _check_tuning(self) -> Self:
        if self.tuning is not None:
            grid, where = self.tuning.grid, self.tuning.sizes
            if sorted(set(grid)) != list(grid) or grid[0] <= 0:
                raise ValueError(f"tuning.grid {grid} is not positive and ascending")
            if not all(0 <= i < len(self.sizes) for i in where):
                raise ValueError(f"tuning.sizes {where} are not positions in sizes")
            for name in ("batch_tokens", "beta2"):
                tried = getattr(self.tuning, name)
                if sorted(set(tried)) != list(tried):
                    raise ValueError(f"tuning.{name} {tried} is not ascending")
            if self.tuning.seed in self.seeds:
                raise ValueError(f"tuning.seed {self.tuning.seed} is one of seeds")
        return self

    def is_measured(self, key: str) -> bool:
        """Return whether the plan leaves a choice to measured speeds.

        Parameters
        ----------
        key : {"adamw", "compiled"}
            Field of the plan.
        """
        own = getattr(self, key)
        return bool((self.adamw if own is None else own) == MEASURED)

    def shape(self, size: Size) -> ArchitectureConfig:
        """Return the architecture of one size.

        Parameters
        ----------
        size : Size
            Width and depth.

        Returns
        -------
        ArchitectureConfig
            Channel mixer of width 8 d / 3, to a multiple of 8.
        """
        return ArchitectureConfig(
            name=self.architecture,
            d_model=size.d_model,
            n_layers=size.n_layers,
            n_heads=size.d_model // self.head_dim,
            ffn_width=max(8, round(size.d_model / 3) * 8),
            vocab_size=self.facts_config().vocab_size
            if self.corpus == ZIPF_FACTS
            else self.vocab_size,
            context=self.context,
            ffn_activation=self.ffn_activation,
            mixer=self._mixer(),
            kernel=self.kernel,
        )

    def _mixer(self) -> MixerOptions | None:
        own = MIXER_OPTIONS.get(self.architecture)
        return None if own is None else own(**self.mixer)  # type: ignore[arg-type]

    def facts_config(self) -> FactsConfig:
        """Return the law of the synthetic stream, defaults written out."""
        return FactsConfig(**(self.facts or Facts()).model_dump())

    def _own(self, values: Value | tuple[Value, ...], size: Size) -> Value:
        return values[self.sizes.index(size)] if isinstance(values, tuple) else values

    def unit(
        self,
        size: Size,
        members: tuple[Member, ...],
        tokens_sha256: str,
        milestones: tuple[int, ...] | None = None,
        *,
        batch_tokens: int | None = None,
        beta2: float | None = None,
    ) -> RunConfig:
        """Return the resolved unit of one size.

        Parameters
        ----------
        size : Size
            Width and depth.
        members : tuple of Member
            Seeds and learning rates.
        tokens_sha256 : str
            Hash of the token file.
        milestones : tuple of int, optional
            Token budgets; the plan's that this size can use when not given.
        batch_tokens, beta2 : number, optional
            What was found for this size; the plan's own when not given.

        Returns
        -------
        RunConfig
            With every field written.

        Raises
        ------
        HarnessError
            When no milestone is long enough for this size.
        """
        shape = self.shape(size)
        n_params = count_params(shape)
        shortest = n_params * self.min_tokens_per_param
        if milestones is None:
            asked = size.milestones or self.milestones
            milestones = tuple(m for m in asked if m >= shortest)
        if not milestones:
            raise HarnessError(
                f"plan {self.name!r}: size {size.d_model}x{size.n_layers} has {n_params} "
                f"parameters, but the longest of its milestones is {self.milestones[-1]} tokens.",
                "Add a longer milestone or leave the size out.",
            )
        warmup = min(self.warmup_tokens_per_param * n_params, 0.1 * milestones[0])
        if self.warmup_tokens is not None:
            warmup = self.warmup_tokens
        facts = self.facts_config() if self.corpus == ZIPF_FACTS else None
        return RunConfig(
            architecture=shape,
            data=DataConfig(
                corpus=self.corpus,
                tokens_sha256=tokens_sha256,
                eval_tokens=self.eval_tokens,
                facts=facts,
            ),
            optim=OptimConfig(
                beta1=self.beta1,
                beta2=self._own(self.beta2, size) if beta2 is None else beta2,
                weight_decay=self.weight_decay,
                adamw=FUSED if self.adamw == FUSED else STEPWISE,
                clip=self.clip,
                warmup_tokens=round(warmup),
            ),
            train=TrainConfig(
                batch_tokens=batch_tokens or self._own(self.batch_tokens, size),
                milestones=milestones,
                decay_fraction=self.decay_fraction,
                checkpoint_seconds=self.checkpoint_seconds,
                schedule=self.schedule,
                final_rate=self.final_rate,
                precision=self.precision,
                compiled=self.compiled == ALWAYS,
            ),
            members=members,
            measure=MeasureConfig(**self.measure.model_dump()),
        )
