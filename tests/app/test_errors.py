import logging

import pytest

from vlfau.app.errors import NEUTRAL, PublicError, for_visitors
from vlfau.app.uploads import Upload
from vlfau.errors import BundleError, ImageError, InputError, MissingExtraError
from vlfau.media.images import read_picture


def test_a_message_speaks_of_the_name_and_not_of_the_place(tmp_path):
    path = tmp_path / "deep" / "me.png"
    path.parent.mkdir()
    path.write_text("no picture")
    with pytest.raises(PublicError) as caught, for_visitors(Upload(path, "holiday.png")):
        read_picture(path)
    assert str(caught.value).startswith("holiday.png is not a picture that vlfau can read")
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("error", [RuntimeError("secret"), OSError("secret"), MissingExtraError("secret", "app")])
def test_of_other_errors_a_visitor_learns_nothing_and_the_log_everything(caplog, error):
    with caplog.at_level(logging.ERROR), pytest.raises(PublicError) as caught, for_visitors():
        raise error
    assert str(caught.value) == NEUTRAL
    assert caught.value.__cause__ is None
    assert "secret" in caplog.text


@pytest.mark.parametrize("error", [BundleError("/srv/model fails"), InputError("cannot write /srv/a.csv (disk full)")])
def test_errors_of_the_model_and_the_disk_are_no_visitors_business(caplog, error):
    with pytest.raises(PublicError, match="went wrong on the server"), for_visitors():
        raise error
    assert "/srv/" in caplog.text


def test_a_public_error_passes_unchanged():
    with pytest.raises(PublicError, match="^one.$"), for_visitors(), for_visitors():
        raise ImageError("one")
