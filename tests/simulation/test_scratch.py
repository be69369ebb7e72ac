"""The scratch database: whatever names the real one, a simulation never reaches it."""

from urllib.parse import urlsplit

from connector_pay.simulation.scratch import _make_environment


def test_a_file_that_names_the_real_database_is_not_handed_to_who_migrates(monkeypatch, tmp_path):
    secret = tmp_path / "database_url"
    secret.write_text("postgres://portal@db.example.org/premiums")
    for name in ("DATABASE_URL_FILE", "DATABASE_OWNER_URL_FILE", "DATABASE_AS_OWNER_FILE"):
        monkeypatch.setenv(name, str(secret))

    environment = _make_environment("simulation_template_unfinished")

    assert str(secret) not in environment.values()
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        assert urlsplit(environment[name]).path == "/simulation_template_unfinished"
