"""A posterior saved under one generation of PyMC and ArviZ loads under the other, and back."""

import json
import os
import subprocess
import textwrap

import numpy as np
import pytest

from bayescale.inference.posterior import load_posterior

OTHER = os.environ.get("BAYESCALE_OTHER_PYTHON", "")

THERE = """
    import json, sys
    import arviz, numpy
    from bayescale.forecasts.forecast import forecast
    from bayescale.inference.posterior import load_posterior
    posterior = load_posterior(sys.argv[1])
    posterior.save(sys.argv[2])
    opened = arviz.from_netcdf(sys.argv[1])["posterior"]["alpha"].values
    assert numpy.array_equal(opened, posterior.draws["alpha"])
    predicted = forecast(posterior, n_params=7e9, n_tokens=2e11, seed=1)
    print(json.dumps({"arviz": arviz.__version__, "interval": list(predicted.interval(0.9)[0])}))
"""


@pytest.mark.skipif(not OTHER, reason="BAYESCALE_OTHER_PYTHON names no second interpreter")
def test_there_and_back(posterior, tmp_path):
    from bayescale.forecasts.forecast import forecast

    here, back = posterior.save(tmp_path / "here.nc"), tmp_path / "back.nc"
    done = subprocess.run(
        [OTHER, "-W", "ignore", "-c", textwrap.dedent(THERE), str(here), str(back)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    mine = forecast(posterior, n_params=7e9, n_tokens=2e11, seed=1).interval(0.9)[0]
    np.testing.assert_allclose(said["interval"], mine, rtol=1e-6)
    loaded = load_posterior(back)
    assert loaded.spec.hash == posterior.spec.hash
    for symbol, values in posterior.draws.items():
        np.testing.assert_array_equal(loaded.draws[symbol], values)
