"""What an answer to a create with dryRun=All says of the object."""

import pytest

from perfscale.errors import AlreadyExistsError, ApiError, ForbiddenError, ServerError
from perfscale.preflight import TrialVerdict
from perfscale.preflight.trial import judge

QUOTA = ForbiddenError(
    'pods "a" is forbidden: exceeded quota: team', status=403, reason="Forbidden"
)
WEBHOOK = ForbiddenError(
    'admission webhook "w" denied the request: no', status=403, reason="Forbidden"
)
TAKEN = AlreadyExistsError('pods "a" already exists', status=409, reason="AlreadyExists")
INVALID = ApiError('Pod "a" is invalid:\n spec', status=422, reason="Invalid")
UNABLE = ApiError('admission webhook "w" does not support dry run', status=400, reason="BadRequest")
BROKEN = ServerError('failed calling webhook "w"', status=500, reason="InternalError")


@pytest.mark.parametrize("refusal", [QUOTA, WEBHOOK, TAKEN, INVALID, BROKEN])
def test_in_its_own_namespace_every_refusal_is_the_objects(refusal: ApiError) -> None:
    verdict, reason = judge(refusal)
    assert verdict is TrialVerdict.REFUSED
    assert reason == " ".join(str(refusal).split())


@pytest.mark.parametrize(
    ("refusal", "verdict"),
    [
        (QUOTA, TrialVerdict.NOT_JUDGED),
        (TAKEN, TrialVerdict.NOT_JUDGED),
        (WEBHOOK, TrialVerdict.REFUSED),
        (INVALID, TrialVerdict.REFUSED),
    ],
)
def test_what_is_wrong_with_a_namespace_that_stands_in_says_nothing_of_the_object(
    refusal: ApiError, verdict: TrialVerdict
) -> None:
    found, reason = judge(refusal, stand_in=True)
    assert found is verdict
    assert str(refusal).split()[-1] in (reason or "")


def test_a_webhook_that_knows_no_dry_run_leaves_the_question_open() -> None:
    assert judge(UNABLE) == (TrialVerdict.NOT_JUDGED, str(UNABLE))


def test_an_object_that_was_tried_elsewhere_says_so() -> None:
    assert judge(None) == (TrialVerdict.ACCEPTED, None)
    verdict, reason = judge(None, stand_in=True)
    assert verdict is TrialVerdict.ACCEPTED
    assert "tried in namespace default" in (reason or "")
