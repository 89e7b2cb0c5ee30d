"""Idle threads of torch sleep soon, unless users choose otherwise."""

import os

import pytest

from pesearch.encoders.openmp import SPIN_COUNT, limit_spinning


def test_idle_threads_sleep_soon() -> None:
    environment = {"HOME": "/home/user"}
    limit_spinning(environment)
    assert environment == {"HOME": "/home/user", "GOMP_SPINCOUNT": SPIN_COUNT}


@pytest.mark.parametrize("own", [{"OMP_WAIT_POLICY": "ACTIVE"}, {"GOMP_SPINCOUNT": "infinity"}])
def test_settings_of_users_win(own: dict[str, str]) -> None:
    environment = dict(own)
    limit_spinning(environment)
    assert environment == own


def test_it_is_set_with_the_package_before_any_of_its_modules_can_import_torch() -> None:
    assert {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys()
