"""What the whole path computed before: a change that should not move it must not.

Where a change is meant to move a value, remove it from the file and write it anew, from the
repository's root, and say in the CHANGELOG what moved and why:

    python -m tests.golden.test_losses
    python -m tests.golden.test_posteriors

Both add what is missing and never rewrite what is there.
"""
