"""Objects over time: at every instant the counts are of what was there, no more and no less."""

from hypothesis import given
from hypothesis import strategies as st
from lives import record

from perfscale.results import ObjectRecord
from perfscale.results.pages.timeline import (
    BEING_DELETED,
    INSTANTS,
    NO_PHASE,
    Instants,
    Presence,
    Progress,
)

PHASES = ("Pending", "Scheduling", "Running", "Succeeded")
DURATION_S = 30.0
NEVER_S = 1e9


@st.composite
def lives(draw: st.DrawFn) -> ObjectRecord:
    """Any object: phases that are skipped, answers that come late, deletions that never end."""
    moments = st.floats(0, DURATION_S)
    sent_s, *reached, asked_s, gone_s = sorted(draw(st.lists(moments, min_size=7, max_size=7)))
    seen = draw(st.lists(st.booleans(), min_size=6, max_size=6))
    return record(
        created_s=sent_s + draw(st.floats(0, 3)),
        phases_s={
            phase: at for phase, at, kept in zip(PHASES, reached, seen, strict=False) if kept
        },
        delete_requested_s=asked_s if seen[4] or seen[5] else None,
        deleted_s=gone_s if seen[5] else None,
    )


def is_there(life: ObjectRecord, at_s: float) -> bool:
    since_s = min(life.created_s or 0.0, *life.phases_s.values(), NEVER_S)
    return since_s <= at_s < (NEVER_S if life.deleted_s is None else life.deleted_s)


@given(st.lists(lives(), max_size=12))
def test_the_phases_add_up_to_what_is_there_at_every_instant(story: list[ObjectRecord]) -> None:
    instants = Instants(DURATION_S)
    presence = Presence(instants)
    for life in story:
        presence.add(life)
    counts = presence.counts()
    for index, at_s in enumerate(instants.at_s):
        together = [counted[index] for counted in counts.values()]
        assert min(together, default=0) >= 0
        assert sum(together) == sum(is_there(life, at_s) for life in story)


def test_an_object_is_in_its_last_new_phase_until_it_is_asked_to_go() -> None:
    presence = Presence(Instants(INSTANTS * 1.0))
    presence.add(
        record(
            created_s=10.0,
            phases_s={"Pending": 20.0, "Running": 30.0, "Succeeded": 55.0},
            delete_requested_s=50.0,
            deleted_s=60.0,
        )
    )
    stays = {
        phase: [at for at, count in enumerate(counted) if count]
        for phase, counted in presence.counts().items()
    }
    assert stays == {
        NO_PHASE: list(range(10, 20)),
        "Pending": list(range(20, 30)),
        "Running": list(range(30, 50)),
        BEING_DELETED: list(range(50, 60)),
    }


def test_what_the_server_refused_was_never_there() -> None:
    presence, progress = Presence(Instants(30.0)), Progress(Instants(30.0))
    refused = record(uid=None, sent_s=1.0, created_s=2.0)
    presence.add(refused)
    progress.add(refused)
    assert presence.counts() == {}
    assert {name: counted[-1] for name, counted in progress.counts().items()} == {
        "sent": 1, "created": 0, "ready": 0, "gone": 0,
    }  # fmt: skip
