"""Every model file with one fault is refused, and the message shows the value found."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayescale.errors import BayescaleError
from bayescale.models.catalog import load_model

FOLDER = Path(__file__).parent / "models"

FAULTS = {
    "a_list": r"'a_list\.yaml' holds list, but a mapping",
    "centred_not_pooled": r"unknown centred coefficient 'sigma'\. Known: E_share",
    "discrepancy_without_rho": r"discrepancy: key 'rho' is missing\. Required: \['tau'",
    "empty": r"'empty\.yaml' holds NoneType, but a mapping",
    "formula_as_text": r"law 'formula_as_text_law': found 'start / n_params \*\* slope', but a map",
    "formula_grows": r"at the medians of the priors .* formula gives inf, but loss must be a pos",
    "formula_opens_files": r"formula: unknown function 'open'\. Known: exp, log",
    "formula_reads_attributes": r"'start\.__class__\.__mro__' is not allowed \(Attribute\)",
    "formula_runs_code": r"__import__\('os'\).* is not allowed \(Call\)\. Allowed: arithmetic",
    "formula_unknown_name": r"formula: unknown name 'n_param'\. Did you mean 'n_params'",
    "latin1": r"'latin1\.yaml' cannot be read: .*byte 0xdf",
    "length_of_zero": r"discrepancy\.length is 0\.0, expected 0\.01 to 100",
    "missing_floor": r"noise: key 'floor' is missing",
    "missing_key": r"key 'pooling' is missing",
    "missing_prior": r"'beta'.* spells out every prior",
    "negative_floor": r"noise\.floor is -0\.1, expected 0 to 1",
    "negative_sigma": r"prior LogitNormal: argument 'sigma' is -1\.0, but must be positive",
    "other_name": r"name is 'chinchilla_plain_weak', expected 'other_name'",
    "prior_as_number": r"priors, beta: found 0\.35, but a mapping",
    "priors_as_list": r"priors: found \[1, 2\], but a mapping",
    "ratio_of_compute": r"discrepancy\.rho_ratio is 0\.1, but law .* does not read n_par",
    "reference_as_number": r"reference is 3, but law 'chinchilla' reads",
    "reference_as_text": r"reference n_params is '1e9', but a positive number.*1\.0e\+9",
    "reference_of_other_inputs": r"reference is \{.*'flops': .*reads \['n_params', 'n_tokens'\]",
    "reference_of_zero": r"reference n_params is 0, but a positive number",
    "runs_code": r"is not plain YAML: .*python/object/apply:os\.system",
    "runs_code_in_a_prior": r"is not plain YAML: .*python/name:os\.system",
    "slope_on_unknown_covariate": r"unknown covariate 'over_trainig'\. Did you mean 'over_tr",
    "spread_of_the_level": r"unknown spread 'loss_ref'\. Known: E_share",
    "spread_of_any_sign": r"prior of 'spread_alpha' is Normal, which lives on the real numbers",
    "student_t_beside_a_discrepancy": r"Student-t noise stands beside a discrepancy",
    "student_t_without_nu": r"noise\.nu is None beside distribution 'student_t'\. student_t needs",
    "tab_indented": r"is not plain YAML: .*line 14",
    "text_in_number": r"noise: floor is 'four', but a number",
    "trunk_correlation_of_one": r"noise\.trunk_correlation is 1\.0, expected 0 to 0\.99",
    "unknown_argument": r"unknown argument 'sgma'\. Did you mean 'sigma'",
    "unknown_coefficient": r"unknown prior 'beat'\. Did you mean 'beta'",
    "unknown_distribution": r"unknown distribution 'LogitNorml'\. Did you mean 'LogitNormal'",
    "unknown_key": r"unknown key 'nose'\. Did you mean 'noise'",
    "unknown_law": r"unknown law 'chinchila'\. Did you mean 'chinchilla'",
    "unknown_noise": r"unknown noise distribution 'student'\. Did you mean 'student_t'",
    "unknown_pooling": r"unknown pooling 'partially'\. Did you mean 'partial'",
    "unknown_reference": r"unknown reference 'top_decde'\. Did you mean 'top_decade'",
    "wrong_support": r"prior of 'E_share' is LogNormal, which lives on the positive numbers",
    "wrong_support_of_sigma": r"prior of 'sigma' is Normal, which lives on the real numbers",
}


@pytest.mark.parametrize("name", FAULTS)
def test_file_with_one_fault_is_refused(name):
    with pytest.raises(BayescaleError, match=FAULTS[name]):
        load_model(FOLDER / f"{name}.yaml")


def test_every_file_is_tested():
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(FAULTS)


def test_code_in_a_file_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BayescaleError, match=r"os\.system"):
        load_model(FOLDER / "runs_code.yaml")
    assert not (tmp_path / "bayescale_was_here").exists()


def test_missing_file_is_refused():
    with pytest.raises(BayescaleError, match=r"'nowhere\.yaml' cannot be read: .*No such file"):
        load_model("nowhere.yaml")
